"""Opening the store of a collection, or making one where there is none."""

from __future__ import annotations

from pathlib import Path

from similia.collection.store import Store
from similia.errors import CollectionNotFound, InputError


def opened(folder: Path, name: str, *, create: bool, wait: float) -> Store:
    """The store in a folder; ``name`` is what the caller called it.

    Raises:
        CollectionNotFound: there is none, and ``create`` is False.
    """
    try:
        return Store.open(folder, wait=wait)
    except CollectionNotFound:
        if not create:
            said = f"there is no collection at {folder}; this makes one: similia add {name} FILES"
            raise CollectionNotFound(said) from None
    try:
        return Store.create(folder, wait=wait)
    except InputError:  # unless another process made it just now, there is something else
        if not (folder / "collection.db").exists():
            raise
        return Store.open(folder, wait=wait)
