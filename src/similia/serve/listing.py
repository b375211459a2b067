"""The items that pass a filter, in the order in which they came: what is shown before anything is asked for."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from similia.collection.store import Store
from similia.index.where import Predicate


@dataclass(frozen=True)
class Listed:
    """Some of the items that pass a filter: how many pass, and key and record of those asked for."""

    total: int
    items: list[tuple[str, dict[str, Any]]]


class Listing:
    """Reads the items of one collection in their order; for any number of threads.

    Args:
        folder: of the collection.

    Examples:
        >>> import tempfile
        >>> from similia.collection import Collection
        >>> with tempfile.TemporaryDirectory() as place, Collection.open(f"{place}/c", create=True) as c:
        ...     report = c.add([{"id": n, "title": f"Item {n}"} for n in range(5)], key="id", encoder="hashing")
        ...     listing = Listing(c.path)
        ...     found = listing.page("id >= 2", 2, 1)
        ...     listing.close()
        >>> found.total, [key for key, _ in found.items]
        (3, ['3', '4'])
    """

    def __init__(self, folder: Path) -> None:
        self._store = Store.open(folder)

    def page(self, where: str | None, k: int, offset: int) -> Listed:
        """At most ``k`` items that pass the filter, after the first ``offset``, all of one state.

        Raises:
            FilterError: the filter cannot be understood.
        """
        store = self._store
        with store.snapshot():
            predicate = None
            if where is not None and where.strip():
                predicate = Predicate.parse(where, {name: field.type for name, field in store.fields().items()})
            ids = store.select(predicate, limit=k, offset=offset)
            return Listed(store.count(predicate), list(zip(store.keys(ids), store.records(ids), strict=True)))

    def version(self) -> int:
        """The number of the last change that was stored; it tells whether a kept answer still holds."""
        return self._store.version()

    def close(self) -> None:
        """Close it."""
        self._store.close()
