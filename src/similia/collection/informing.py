"""Info: what a collection is, read in one state of it."""

from __future__ import annotations

from pathlib import Path

from similia.collection.reports import Info
from similia.collection.senses import described
from similia.collection.workspace import Workspace


def info(space: Workspace, path: Path) -> Info:
    """See `similia.collection.Collection.info`."""
    with space.reading() as state:
        log = state.store.log(1)
        return Info(
            name=space.name,
            path=str(path),
            items=state.store.count(),
            fields=dict(state.fields),
            senses={name: described(row) for name, row in state.senses.items()},
            bytes=state.store.sizes(),
            version=state.version,
            uuid=state.store.uuid,
            changes=log[0].number if log else 0,
            last_change=dict(vars(log[0])) if log else None,
        )
