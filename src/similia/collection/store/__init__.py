"""The durable half of a collection: items, full text, senses and their vectors in one SQLite database.

A `Store` is a folder with ``collection.db`` in it. Reading never waits and sees one state; writing happens
in one `Change` at a time over all processes and threads, made of transactions each of which is complete when
it is acknowledged; the last change can be undone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from similia._lazy import attach

if TYPE_CHECKING:
    from similia.collection.store.changes import Change as Change
    from similia.collection.store.rows import ChangeRow as ChangeRow
    from similia.collection.store.rows import CheckReport as CheckReport
    from similia.collection.store.rows import PutResult as PutResult
    from similia.collection.store.rows import SenseRow as SenseRow
    from similia.collection.store.schema import Field as Field
    from similia.collection.store.store import Store as Store

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "Change": ".changes",
        "ChangeRow": ".rows",
        "CheckReport": ".rows",
        "Field": ".schema",
        "PutResult": ".rows",
        "SenseRow": ".rows",
        "Store": ".store",
    },
)
