"""A later add of a few rows does not change what the collection knows about its fields."""

from __future__ import annotations

from pathlib import Path

from similia import Collection

ROWS = [{"id": f"r{i}", "title": f"words number {i}", "area": ("red", "green", "blue")[i % 3]} for i in range(60)]


def test_a_category_stays_one_when_a_single_row_is_added(tmp_path: Path) -> None:
    with Collection.open(tmp_path / "shelf", create=True) as shelf:
        shelf.add(ROWS, key="id", text="title", encoder="hashing")
        assert shelf.fields["area"] == "category"
        shelf.add([{"id": "new", "title": "one more", "area": "violet"}], key="id")
        assert shelf.fields["area"] == "category"
        assert ("violet", 1) in shelf.facets("area")
        assert shelf.search("more", where="area = 'violet'").keys == ["new"]


def test_a_schema_still_makes_it_text(tmp_path: Path) -> None:
    with Collection.open(tmp_path / "shelf", create=True) as shelf:
        shelf.add(ROWS, key="id", text="title", encoder="hashing", schema={"area": "text"})
        assert shelf.fields["area"] == "text"
