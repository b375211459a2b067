"""The data sets that Similia knows by name."""

from __future__ import annotations

from typing import TypeVar

from similia.errors import DatasetMissing, InputError
from similia.evaluate.datasets.entries import books, claims, classic, papers, questions, scored, tables, topics
from similia.evaluate.datasets.entry import Entry as Entry
from similia.evaluate.datasets.kinds import (
    Dataset,
    PairsDataset,
    RecordsDataset,
    RetrievalDataset,
    TextClassificationDataset,
)

ENTRIES: tuple[Entry, ...] = (
    *classic.ENTRIES,
    *questions.ENTRIES,
    *claims.ENTRIES,
    *scored.ENTRIES,
    *tables.ENTRIES,
    *books.ENTRIES,
    *topics.ENTRIES,
    *papers.ENTRIES,
)

T = TypeVar("T", RetrievalDataset, TextClassificationDataset, PairsDataset, RecordsDataset)

REGISTRY = {entry.name: entry for entry in ENTRIES}


def names(kind: str | None = None) -> list[str]:
    """The names that `load` knows: all, or those of a kind ("retrieval", "classification", "pairs", "records").

    Raises:
        InputError: an unknown kind.

    Examples:
        >>> "cranfield" in names()
        True
        >>> names("classification")
        ['ag_news']
    """
    if kind is not None and kind not in (kinds := sorted({entry.kind for entry in ENTRIES})):
        raise InputError(f"there are no data sets of kind {kind!r}; the kinds are {', '.join(kinds)}")
    return [name for name, entry in REGISTRY.items() if kind in (None, entry.kind)]


def info(name: str) -> Entry:
    """What is known about a data set, on this machine or not.

    Raises:
        InputError: an unknown name.

    Examples:
        >>> info("cranfield").licence
        'Glasgow IR test collections: free for research'
    """
    if name not in REGISTRY:
        raise InputError(f"data set {name!r} is not known; there are {', '.join(REGISTRY)}")
    return REGISTRY[name]


def available(name: str, split: str | None = None) -> bool:
    """Whether `load` would find the files of a data set, or of one of its splits."""
    try:
        info(name).source(split)
    except DatasetMissing:
        return False
    return True


def load(name: str, split: str | None = None) -> Dataset:
    """Read a data set that is on this machine; nothing is downloaded.

    Args:
        name: one of `names`.
        split: one of its splits; the first where None.

    Raises:
        InputError: an unknown name or split.
        DatasetMissing: it is not here; the message says how to get it.

    Warns:
        UnverifiedDataWarning: its checksum is not known (`Entry.verifiable`).
    """
    return info(name).load(split)


def retrieval(name: str, split: str | None = None) -> RetrievalDataset:
    """`load` for a data set of kind ``retrieval``, typed as such."""
    return _of(RetrievalDataset, name, split)


def classification(name: str, split: str | None = None) -> TextClassificationDataset:
    """`load` for a data set of kind ``classification``, typed as such."""
    return _of(TextClassificationDataset, name, split)


def pairs(name: str, split: str | None = None) -> PairsDataset:
    """`load` for a data set of kind ``pairs``, typed as such."""
    return _of(PairsDataset, name, split)


def records(name: str, split: str | None = None) -> RecordsDataset:
    """`load` for a data set of kind ``records``, typed as such."""
    return _of(RecordsDataset, name, split)


def _of(kind: type[T], name: str, split: str | None) -> T:
    dataset = load(name, split)
    if not isinstance(dataset, kind):
        raise InputError(f"data set {name!r} is of kind {info(name).kind}, not {kind.__name__}")
    return dataset
