"""Browse: items by key, the items that pass a filter in the order in which they came, and the values of fields."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from similia.collection.naming import field_names
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


def get(space: Workspace, keys: Iterable[object]) -> list[dict[str, Any]]:
    """See `similia.collection.Collection.get`."""
    wanted = [str(key) for key in ([keys] if isinstance(keys, str) else keys)]
    with space.reading() as state:
        records = state.store.records(state.ids(wanted))
    return [{"_key": key, **record} for key, record in zip(wanted, records, strict=True)]


def facets(space: Workspace, field: str, where: str | None, limit: int) -> list[tuple[Any, int]]:
    """See `similia.collection.Collection.facets`."""
    with space.reading() as state:
        (name,) = field_names([field], state.fields)
        most = whole_number("limit", limit, 1)
        return state.store.facets(name, where=state.predicate(where), limit=most)
