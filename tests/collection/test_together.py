"""Many searches at once give what each gives by itself."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from similia import Collection
from similia.errors import FilterError, InputError, UnknownSense

WORDS = ["cable", "phone", "tea", "leaf", "graph", "walk", "node", "rank", "fusion", "query", "image", "copy", "dog"]
RNG = np.random.default_rng(0)
ITEMS = [{"id": f"i{n}", "title": " ".join(RNG.choice(WORDS, 6)), "year": 2000 + n % 20} for n in range(300)]
ASKED = [" ".join(RNG.choice(WORDS, 2)) for _ in range(30)]


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Collection]:
    with Collection.open(tmp_path_factory.mktemp("together") / "shelf", create=True) as opened:
        opened.add(ITEMS, key="id", encoder="hashing", text="title")
        yield opened


def plain(results: Any) -> dict[str, Any]:
    return {name: value for name, value in results.to_dict().items() if name != "seconds"}


@pytest.mark.parametrize("mode", ["hybrid", "dense", "text"])
@pytest.mark.parametrize("where", [None, "year >= 2015", "year > 2100"])
def test_each_is_as_by_itself(shelf: Collection, mode: Any, where: str | None) -> None:
    together = shelf.search_many(ASKED, mode=mode, where=where, k=7)
    assert [plain(one) for one in together] == [plain(shelf.search(one, mode=mode, where=where, k=7)) for one in ASKED]


def test_each_has_its_filter(shelf: Collection) -> None:
    filters = [None, "year = 2001", "year = 2002", "year  = 2001", ""] * 6
    together = shelf.search_many(ASKED, where=filters, k=5)
    assert [plain(one) for one in together] == [
        plain(shelf.search(one, where=where, k=5)) for one, where in zip(ASKED, filters, strict=True)
    ]


def test_vectors_and_what_has_none(shelf: Collection) -> None:
    vectors = RNG.normal(size=(10, shelf.senses["topic"].dimension)).astype(np.float32)
    together = shelf.search_many(vectors, k=4)
    assert [plain(one) for one in together] == [plain(shelf.search(one, k=4)) for one in vectors]
    odd = ["zzzz qqqq", "tea", "!!!"]
    assert [plain(one) for one in shelf.search_many(odd)] == [plain(shelf.search(one)) for one in odd]
    assert shelf.search_many([]) == []


def test_many_are_done_in_parts(shelf: Collection, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = [plain(one) for one in shelf.search_many(ASKED)]
    monkeypatch.setattr("similia.collection.together.TOGETHER", 7)
    assert [plain(one) for one in shelf.search_many(ASKED)] == whole


def test_after_changes(tmp_path: Path) -> None:
    with Collection.open(tmp_path / "c", create=True) as opened:
        opened.add(ITEMS[:100], key="id", encoder="hashing", text="title")
        opened.search_many(ASKED)
        opened.add(ITEMS[100:110], key="id")
        opened.delete(["i3", "i7"])
        together = opened.search_many(ASKED, mode="dense", k=50)
        assert [plain(one) for one in together] == [plain(opened.search(one, mode="dense", k=50)) for one in ASKED]


def test_wrong_use_is_named(shelf: Collection) -> None:
    with pytest.raises(InputError, match="one string"):
        shelf.search_many("cats")
    with pytest.raises(InputError, match="2 filters for 30 queries"):
        shelf.search_many(ASKED, where=[None, None])
    with pytest.raises(InputError, match="blank"):
        shelf.search_many(["cats", " "])
    with pytest.raises(FilterError):
        shelf.search_many(ASKED, where="year >")
    with pytest.raises(UnknownSense):
        shelf.search_many(ASKED, sense="topik")
    with pytest.raises(InputError, match="recall"):
        shelf.search_many(ASKED, recall=2)
