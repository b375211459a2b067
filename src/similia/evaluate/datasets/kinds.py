"""What a data set is once it is read."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from similia.errors import InputError
from similia.types import Int64

Float64: TypeAlias = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class RetrievalDataset:
    """Documents, queries, and which documents are relevant to which query.

    Attributes:
        name: as in the registry.
        document_ids: (n,) names of the documents.
        documents: (n,) their texts; the title, where there is one, is the first line.
        query_ids: (q,) names of the queries that have a relevant document; others are left out.
        queries: (q,) their texts.
        qrels: query -> document -> grade; above 0 is relevant, higher is more so; 0 was judged and found not relevant.
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

    def candidates(self, query_id: str) -> tuple[str, ...]:
        """The documents that were judged for a query, relevant or not: what a set of candidate lists asks to order.

        Raises:
            InputError: an unknown query.

        Examples:
            >>> qrels = {"q": {"a": 1.0, "b": 0.0}}
            >>> RetrievalDataset("few", ("a", "b", "c"), ("A", "B", "C"), ("q",), ("Q?",), qrels).candidates("q")
            ('a', 'b')
        """
        if query_id not in self.qrels:
            raise InputError(f"query {query_id!r} is not one of the {len(self.query_ids):,} queries of {self.name!r}")
        return tuple(self.qrels[query_id])


@dataclass(frozen=True, eq=False)
class PairsDataset:
    """Pairs of texts, and how similar people found the two of each.

    Attributes:
        name: as in the registry.
        left: (n,) texts.
        right: (n,) texts.
        scores: float64 (n,) from ``low`` to ``high``; higher is more similar. 0 and 1 where people only said whether
            the two mean the same.
        low: the least score that could be given.
        high: the greatest.
    """

    name: str
    left: tuple[str, ...] = field(repr=False)
    right: tuple[str, ...] = field(repr=False)
    scores: Float64 = field(repr=False)
    low: float
    high: float

    def __len__(self) -> int:
        return len(self.left)


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


Dataset: TypeAlias = RetrievalDataset | TextClassificationDataset | PairsDataset | RecordsDataset
