"""Delete: items by key or by filter, all or none."""

from __future__ import annotations

from collections.abc import Iterable

from similia.collection.senses import refresh
from similia.collection.workspace import Workspace
from similia.errors import InputError


def delete(space: Workspace, keys: Iterable[object] | None, where: str | None) -> int:
    """See `similia.collection.Collection.delete`."""
    if (keys is None) == (where is None or not where.strip()):
        raise InputError("delete takes keys or where=, a filter; one of the two")
    named = None if keys is None else [str(key) for key in ([keys] if isinstance(keys, (str, int)) else keys)]
    arguments = {"where": where} if named is None else {"keys": len(named), "first": named[:10]}
    with space.store.change("delete", arguments) as change:
        with space.reading() as state:
            ids = state.store.select(state.predicate(where)) if named is None else state.ids(named)
        count = 0
        if ids.size:
            with change.transaction():
                count = change.delete(ids)
    refresh(space)
    return count
