"""Deleting and taking back: no ghosts, and every answer as it was."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from similia import Collection
from similia.errors import CollectionNotFound, InputError, SimiliaError, UnknownItem

Rows = Callable[..., list[dict[str, Any]]]


def opened(path: Path) -> Collection:
    return Collection.open(path, create=True)


def test_delete_leaves_no_ghosts(shelf: Collection) -> None:
    assert shelf.delete(where="area = 'audio'") > 20
    left = len(shelf)
    assert (
        shelf.delete(["k0001", "k0002"] if "k0001" in shelf and "k0002" in shelf else shelf.search("tea", k=2).keys)
        == 2
    )
    left -= 2
    assert len(shelf) == left
    for mode in ("dense", "text", "hybrid"):
        found = shelf.search("tea kettle rank", mode=mode, k=10_000)
        assert not [item for item in found.items if item["area"] == "audio"]
        assert found.total == left
    assert len(shelf.search("tea", mode="dense", k=10_000)) == left
    assert len(shelf.near_duplicates(threshold=-1, limit=100_000)) == left * (left - 1) // 2
    assert len(shelf.layout()) == left
    assert sum(count for _, count in shelf.facets("area")) == left
    for wrong in ({}, {"keys": ["k0010"], "where": "year > 1"}, {"where": "  "}):
        with pytest.raises(InputError, match="one of the two"):
            shelf.delete(**wrong)
    with pytest.raises(UnknownItem, match="nothing"):
        shelf.delete(["k0010", "nothing"])
    assert len(shelf) == left
    assert shelf.delete(where="price < -1e9") == 0


def test_undo_brings_every_answer_back(shelf: Collection, rows: Rows) -> None:
    shelf.senses.add("name", text="title", encoder="hashing:32")

    def everything() -> list[Any]:
        return [
            [
                shelf.search(query, sense=sense, mode=mode, k=500).to_dict()["results"]
                for query in ("tea rank", "unique7 violin")
            ]
            for sense in shelf.senses
            for mode in ("dense", "text", "hybrid")
        ] + [shelf.fields, shelf.senses.to_dict(), shelf.facets("area"), shelf.get(["k0003", "k0100"])]

    before = everything()
    for change in (
        lambda: shelf.delete(where="year > 2000"),
        lambda: shelf.add(rows(100, seed=3, start=150), key="id", on_duplicate="replace"),
        lambda: shelf.add([{"id": "new", "title": "a new field", "fresh": "some text of its own"}], key="id"),
        lambda: shelf.senses.drop("name"),
        lambda: shelf.senses.add("third", text="body", encoder="hashing:16"),
        lambda: shelf.label({"tea": ["kettle"], "music": ["violin"]}, save="subject"),
    ):
        change()
        assert everything() != before
        shelf.undo()
        assert everything() == before
    assert shelf.check().ok


def test_backup_restore_and_remove(shelf: Collection, tmp_path: Path) -> None:
    before = shelf.search("tea kettle", k=200).to_dict()["results"]
    shelf.backup(tmp_path / "backup")
    shelf.delete(where="year > 1995")
    Collection.restore(tmp_path / "backup", tmp_path / "again")
    with Collection.open(tmp_path / "again") as again:
        assert again.search("tea kettle", k=200).to_dict()["results"] == before
        assert again.info().uuid != shelf.info().uuid
        assert again.check().ok
    Collection.remove(tmp_path / "again")
    assert not (tmp_path / "again").exists()
    for wrong in (tmp_path / "nothing", tmp_path):
        with pytest.raises(SimiliaError):
            Collection.remove(wrong)
    with pytest.raises(CollectionNotFound):
        Collection.open(tmp_path / "again")
    shelf.close()
    assert "closed" in repr(shelf)
