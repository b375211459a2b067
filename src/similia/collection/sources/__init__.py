"""Where items come from and where they go: files, folders, tables and standard input, read in bounded memory.

A source is read twice. The first reading finds the type of every field over all rows and checks that everything can
be read, so that nothing is stored of an input that is broken at its end; the second gives the items::

    source = open_source("papers.jsonl.xz")
    source.scan(key="id").types
    for batch in source.batches(1000):
        ...

Which strings are numbers, dates and booleans is written down in `similia.collection.sources.values`, which types
there are in `similia.collection.sources.infer`. `write_table` is the way back.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from similia._lazy import attach

if TYPE_CHECKING:
    from similia.collection.sources.formats import FORMATS as FORMATS
    from similia.collection.sources.infer import TYPES as TYPES
    from similia.collection.sources.scan import Duplicate as Duplicate
    from similia.collection.sources.scan import Scan as Scan
    from similia.collection.sources.source import Source as Source
    from similia.collection.sources.source import open_source as open_source
    from similia.collection.sources.values import render as render
    from similia.collection.sources.writers import write_table as write_table

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "FORMATS": ".formats",
        "TYPES": ".infer",
        "Duplicate": ".scan",
        "Scan": ".scan",
        "Source": ".source",
        "open_source": ".source",
        "render": ".values",
        "write_table": ".writers",
    },
)
