"""Collections to test with: made of a few hundred items, without a model."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from similia import Collection

WORDS = [
    "rank fusion search vector dense sparse query index graph walk metric triplet label class image audio voice record "
    "match company product review paper citation author language model token sentence encoder distance cosine nearest "
    "neighbour cluster centre topic keyword filter database table column tea kettle harbour garden violin glacier"
][0].split()
AREAS = ["search", "audio", "vision", "matching"]


def make_rows(count: int, *, seed: int = 0, dimension: int = 0, start: int = 0) -> list[dict[str, Any]]:
    """Rows with a title, a longer text, a category, a year (sometimes missing), a price and tags."""
    rng = np.random.default_rng(seed)
    rows = []
    for place in range(start, start + count):
        row: dict[str, Any] = {
            "id": f"k{place:04d}",
            "title": " ".join(rng.choice(WORDS, 4)),
            "body": " ".join(rng.choice(WORDS, 14)) + f" unique{place}",
            "area": str(rng.choice(AREAS)),
            "year": int(rng.integers(1990, 2026)) if rng.random() > 0.1 else None,
            "price": float(np.round(rng.normal(10, 5), 3)),
            "tags": sorted(set(map(str, rng.choice(WORDS[:6], 2)))),
        }
        if dimension:
            row["vector"] = rng.standard_normal(dimension).astype(np.float32).tolist()
        rows.append(row)
    return rows


@pytest.fixture
def rows() -> Callable[..., list[dict[str, Any]]]:
    return make_rows


@pytest.fixture
def shelf(tmp_path: Path) -> Iterator[Collection]:
    """A collection of 200 items whose vectors come from the hashing encoder."""
    with Collection.open(tmp_path / "shelf", create=True) as made:
        made.add(make_rows(200), key="id", text=["title", "body"], encoder="hashing:64")
        yield made


@pytest.fixture
def given(tmp_path: Path) -> Iterator[Collection]:
    """A collection of 300 items whose vectors of 8 dimensions were given."""
    with Collection.open(tmp_path / "given", create=True) as made:
        made.add(make_rows(300, dimension=8), key="id", text=["title", "body"], vectors="vector")
        yield made


@pytest.fixture(scope="session")
def judged() -> tuple[dict[str, str], dict[str, dict[str, float]]]:
    """Queries for the collection ``shelf`` and items that hold their words, as judgments."""
    rng = np.random.default_rng(1)
    words = ["tea harbour", "garden violin", "rank fusion", "audio voice", "paper citation", "glacier", "unique7 tea"]
    texts = {f"q{at}": text for at, text in enumerate(words)}
    keys = [f"k{at:04d}" for at in range(200)]
    grades = [3.0, 2.0, 1.0, 1.0, 1.0, 0.0, 0.0, 0.0, 0.0]
    qrels = {query: dict(zip(map(str, rng.choice(keys, 9, replace=False)), grades, strict=True)) for query in texts}
    return texts, qrels
