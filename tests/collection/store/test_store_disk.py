"""Nobody compacts by hand: the disk stays within twice the data."""

from __future__ import annotations

from pathlib import Path
from random import Random

import numpy as np
import pytest

from similia.collection.store import Store

ITEMS = 1_000
DIMENSION = 96
KEYS = [str(number) for number in range(ITEMS)]


def records(seed: int) -> list[dict[str, str]]:
    random = Random(seed)
    words = [f"word{number}" for number in range(3_000)]
    return [{"t": " ".join(random.choices(words, k=random.randint(20, 120)))} for _ in KEYS]


def put(store: Store, seed: int, keys: list[str] = KEYS, shuffle: bool = False) -> None:
    given = dict(zip(KEYS, records(seed), strict=True))
    order = Random(seed).sample(keys, len(keys)) if shuffle else keys
    with store.change("put", {}) as change:
        for start in range(0, len(order), 250):
            part = order[start : start + 250]
            vectors = np.random.default_rng(seed + start).normal(size=(len(part), DIMENSION))
            with change.transaction():
                change.put(part, [given[key] for key in part], vectors={"s": vectors}, on_duplicate="replace")


def make(folder: Path) -> Store:
    store = Store.create(folder)
    with store.change("prepare", {}) as change, change.transaction():
        change.set_fields({"t": "text"})
        change.create_sense("s", {}, fingerprint="f", dimension=DIMENSION, precision="float32")
    return store


def size(store: Store) -> int:
    return sum(path.stat().st_size for path in store.folder.rglob("*") if path.is_file())


@pytest.mark.parametrize("shuffle", [False, True])
def test_replacing_everything_ten_times(tmp_path: Path, shuffle: bool) -> None:
    with make(tmp_path / "fresh") as fresh, make(tmp_path / "churned") as churned:
        put(fresh, 10)
        put(churned, 0)
        for seed in range(1, 11):
            put(churned, seed, shuffle=shuffle)
        assert churned.count() == fresh.count()
        assert size(churned) <= 2 * size(fresh), "with what an undo needs, which is as much as was replaced"
        churned.undo()
        assert size(churned) <= 1.5 * size(fresh)
        assert churned.check().ok


@pytest.mark.parametrize("share", [0.5, 0.9])
def test_deleting_at_random(tmp_path: Path, share: float) -> None:
    random = np.random.default_rng(0)
    with make(tmp_path / "fresh") as fresh, make(tmp_path / "thinned") as thinned:
        put(thinned, 1)
        gone = random.permutation(thinned.select())[: int(share * ITEMS)]
        with thinned.change("delete", {}) as change, change.transaction():
            change.delete(gone)
        put(fresh, 1, thinned.keys(thinned.select()))
        kept = thinned.sizes()
        assert size(thinned) - kept["undo"] <= 2 * size(fresh)
        with thinned.change("next", {}) as change, change.transaction():
            change.set_progress({})
        assert size(thinned) <= 2 * size(fresh)
        assert thinned.check().ok


def test_the_wal_is_emptied(tmp_path: Path) -> None:
    with make(tmp_path / "c") as store:
        for seed in range(3):
            put(store, seed)
        assert store.sizes()["wal"] < 2 * 2**20
