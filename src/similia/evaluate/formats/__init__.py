"""Queries, judgments and runs in the files that evaluation tools exchange: TREC, BEIR, CSV, TSV and JSON lines.

* `read_judgments` and `write_judgments`: query -> item -> grade.
* `read_run` and `write_run`: query -> item -> score.
* `read_queries` and `write_queries`: id -> text; `read_corpus`: the documents of a BEIR folder.

The suffix of a file says what it is, else its first line; files that are compressed (gzip, xz, zstd) are known by their
first bytes. What is wrong with a file is one sentence that names the line.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from similia._lazy import attach

if TYPE_CHECKING:
    from similia.evaluate.formats.judgments import read_judgments as read_judgments
    from similia.evaluate.formats.judgments import write_judgments as write_judgments
    from similia.evaluate.formats.queries import read_corpus as read_corpus
    from similia.evaluate.formats.queries import read_queries as read_queries
    from similia.evaluate.formats.queries import write_queries as write_queries
    from similia.evaluate.formats.runs import read_run as read_run
    from similia.evaluate.formats.runs import write_run as write_run

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "read_corpus": ".queries",
        "read_judgments": ".judgments",
        "read_queries": ".queries",
        "read_run": ".runs",
        "write_judgments": ".judgments",
        "write_queries": ".queries",
        "write_run": ".runs",
    },
)
