"""The collections that a server shows, by name."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from similia.errors import CollectionNotFound, InputError

if TYPE_CHECKING:
    from similia.collection import Collection

Served: TypeAlias = "str | PathLike[str] | Collection"
"""A collection, or where one is."""

PATIENCE = 5.0
"""Seconds that a request which changes a collection waits for another writer: it keeps a thread from its work."""


class Shelf:
    """Collections by name; two of one name get a number.

    Args:
        served: collections, or the folders of some. Folders are opened here and closed by `close`; collections
            that are given stay their owner's.

    Raises:
        CollectionNotFound: a folder is no collection.
        InputError: nothing is given.
    """

    def __init__(self, served: Served | Iterable[Served]) -> None:
        from similia.collection import Collection

        several = [served] if isinstance(served, (str, PathLike, Collection)) else list(served)
        if not several:
            raise InputError("no collection is given; name at least one")
        self._collections: dict[str, Collection] = {}
        self._opened: list[Collection] = []
        try:
            for one in several:
                collection = one if isinstance(one, Collection) else Collection.open(one, wait=PATIENCE)
                if collection is not one:
                    self._opened.append(collection)
                self._collections[self._free_name(collection.name)] = collection
        except BaseException:
            self.close()
            raise

    def _free_name(self, name: str) -> str:
        names = (name if number == 1 else f"{name}-{number}" for number in range(1, len(self._collections) + 2))
        return next(name for name in names if name not in self._collections)

    def __getitem__(self, name: str) -> Collection:
        try:
            return self._collections[name]
        except KeyError:
            there = ", ".join(self._collections)
            raise CollectionNotFound(f"no collection {name[:80]!r} is served here; there are: {there}") from None

    def __iter__(self) -> Iterator[str]:
        return iter(self._collections)

    def __len__(self) -> int:
        return len(self._collections)

    @property
    def folders(self) -> list[Path]:
        """Where the collections are; for keeping it out of messages."""
        return [Path(collection.path) for collection in self._collections.values()]

    def close(self) -> None:
        """Close what was opened here."""
        while self._opened:
            self._opened.pop().close()
