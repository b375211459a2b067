"""Browse: the items that pass a filter, in the order in which they came; what is shown before anything is asked for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from similia.collection.searching import whole_number
from similia.collection.workspace import Workspace


@dataclass(frozen=True)
class Page:
    """Some of the items that pass a filter.

    Attributes:
        total: how many pass.
        keys: of those on this page, in the order in which they were added.
        items: their records.
    """

    total: int
    keys: list[str]
    items: list[dict[str, Any]]

    def __len__(self) -> int:
        return len(self.keys)

    def __iter__(self) -> Iterator[tuple[str, dict[str, Any]]]:
        return zip(self.keys, self.items, strict=True)


def browse(space: Workspace, where: str | None, k: int, offset: int) -> Page:
    """See `similia.collection.Collection.browse`."""
    count, skipped = whole_number("k", k, 1), whole_number("offset", offset, 0)
    with space.reading() as state:
        predicate = state.predicate(where)
        ids = state.store.select(predicate, limit=count, offset=skipped)
        return Page(state.store.count(predicate), state.store.keys(ids), state.store.records(ids))
