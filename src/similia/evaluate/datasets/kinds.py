"""What a data set is once it is read."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

from similia.types import Int64


@dataclass(frozen=True, eq=False)
class RetrievalDataset:
    """Documents, queries, and which documents are relevant to which query.

    Attributes:
        name: as in the registry.
        document_ids: (n,) names of the documents.
        documents: (n,) their texts; the title, where there is one, is the first line.
        query_ids: (q,) names of the queries that have a relevant document; others are left out.
        queries: (q,) their texts.
        qrels: query -> document -> grade; above 0 is relevant, higher is more so.
    """

    name: str
    document_ids: tuple[str, ...]
    documents: tuple[str, ...] = field(repr=False)
    query_ids: tuple[str, ...] = field(repr=False)
    queries: tuple[str, ...] = field(repr=False)
    qrels: Mapping[str, Mapping[str, float]] = field(repr=False)

    def __repr__(self) -> str:
        judged = sum(map(len, self.qrels.values()))
        return (
            f"RetrievalDataset({self.name!r}: {len(self.documents):,} documents, {len(self.queries):,} queries, "
            f"{judged:,} judgments)"
        )


@dataclass(frozen=True, eq=False)
class TextClassificationDataset:
    """Texts and the class of each.

    Attributes:
        name: as in the registry.
        texts: (n,) texts.
        labels: int64 (n,) position in ``classes``.
        classes: (c,) names.
    """

    name: str
    texts: tuple[str, ...] = field(repr=False)
    labels: Int64 = field(repr=False)
    classes: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.texts)


@dataclass(frozen=True, eq=False)
class RecordsDataset:
    """Records, read one at a time.

    Attributes:
        name: as in the registry.
        path: the file that they are read from.
    """

    name: str
    path: Path
    read: Callable[[], Iterator[dict[str, Any]]] = field(repr=False)

    def records(self) -> Iterator[dict[str, Any]]:
        """Each record as a dictionary, from the first; the file is read as far as you go."""
        return self.read()

    __iter__ = records


Dataset: TypeAlias = RetrievalDataset | TextClassificationDataset | RecordsDataset
