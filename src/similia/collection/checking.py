"""Check: the promises of the store, and those of the files made for speed."""

from __future__ import annotations

import contextlib
from dataclasses import replace

from similia.collection import upkeep
from similia.collection.senses import refresh
from similia.collection.store import CheckReport, Store
from similia.collection.workspace import Workspace
from similia.index.files import open_verified


def check(space: Workspace, *, mend: bool) -> CheckReport:
    """See `similia.collection.Collection.check`."""
    # A fresh opening: where another process has written since, FTS5's own check goes by the list of segments that its
    # connection read before, and takes what was merged meanwhile for lost.
    with Store.open(space.folder, wait=space.wait) as store:
        report = store.check(mend=mend)
    damaged, current = [], 0
    with space.reading() as state:
        known = {row.id: row for row in state.senses.values()}
        for path in sorted((space.folder / "derived").glob("[!.]*")):
            file = open_verified(path)
            row = known.get(int(tail) if (tail := path.name.rpartition("-")[2]).isdecimal() else -1)
            if file is None or row is None or not upkeep.belongs(file, state.store, row):
                damaged.append(path)
            else:
                current += 1
    mended = list(report.mended)
    if mend and damaged:
        for path in damaged:
            with contextlib.suppress(OSError):
                path.unlink()
                mended.append(f"removed derived/{path.name}, which was damaged or of another state; it is made again")
        space.forget()
        refresh(space)
    names = ", ".join(path.name for path in damaged)
    said = f"{current} whole" + (f"; damaged or of another state: {names}" if damaged else "")
    gone = bool(damaged) and mend and not any(path.exists() and open_verified(path) is None for path in damaged)
    promise = ("derived files are what they say", not damaged or gone, said)
    return replace(report, promises=[*report.promises, promise], mended=mended, ok=report.ok and promise[1])
