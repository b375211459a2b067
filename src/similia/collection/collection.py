"""A collection: the class that users meet. Each verb is done in a file of its own; here it is said what it does."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from similia.collection.correcting import Corrections
from similia.collection.finding import Finding
from similia.collection.indexes import Indexes
from similia.collection.judging import Judgments
from similia.collection.opening import opened
from similia.collection.senses import Senses, refresh
from similia.collection.store import Store
from similia.collection.workspace import Workspace
from similia.errors import SimiliaError

if TYPE_CHECKING:
    from rich.console import Group

    from similia.collection.browsing import Page
    from similia.collection.comparing import Comparison
    from similia.collection.duplicates import DuplicatePairs
    from similia.collection.labelling import Classes, Labels
    from similia.collection.layout import Layout
    from similia.collection.reports import AddReport, Info
    from similia.collection.store import ChangeRow, CheckReport
    from similia.encode import Encoder


class Collection(Finding):
    """Items with typed fields that last, and the senses in which they can be alike.

    Made by `open`. Any number of threads and processes may read, and never wait; one writes at a time. A search sees
    one state: the last that was stored when it began.

    Attributes:
        path: the folder.
        name: of the folder.
        senses: the senses, a mapping with ``add`` and ``drop``; see `similia.collection.Senses`.
        indexes: what searches each sense, a mapping with ``build``, ``tune`` and ``drop``; see `Indexes` there.
        corrections: of senses in which some items are near to every query; see `similia.collection.Corrections`.
        judgments: how well items answer queries, as somebody said; see `similia.collection.judging.Judgments`.

    Examples:
        >>> import tempfile
        >>> rows = [{"id": "a", "title": "Ranking by fusion", "year": 2009}, {"id": "b", "title": "Tea", "year": 1773}]
        >>> with tempfile.TemporaryDirectory() as folder, Collection.open(folder + "/shelf", create=True) as shelf:
        ...     report = shelf.add(rows, key="id", text="title", encoder="hashing")
        ...     hits = shelf.search("fused rankings", where="year > 1800")
        ...     print(report.added, len(shelf), hits.keys, shelf["b"]["title"])
        2 2 ['a'] Tea
    """

    def __init__(self, store: Store, path: Path, wait: float) -> None:
        self.path = path
        self.name = path.name
        self._space = Workspace(store, self.name, wait)
        self.senses, self.indexes = Senses(self._space), Indexes(self._space)
        self.judgments, self.corrections = Judgments(self._space), Corrections(self._space)

    # -- opening and closing

    @classmethod
    def open(cls, path: str | os.PathLike[str], *, create: bool = False, wait: float = 30.0) -> Collection:
        """Open a collection.

        Args:
            path: its folder; a bare name is a folder in the current one.
            create: make an empty one where there is none.
            wait: seconds that a change waits for another writer.

        Raises:
            CollectionNotFound: there is none, and ``create`` is False.
        """
        folder = Path(os.path.abspath(Path(path).expanduser()))  # noqa: PTH100 - links stay as they are named
        return cls(opened(folder, str(path), create=create, wait=wait), folder, wait)

    def close(self) -> None:
        """Close it; reading on is an error."""
        self._space.forget()
        self._space.store.close()

    def __enter__(self) -> Collection:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # -- looking

    def __len__(self) -> int:
        return self._space.store.count()

    def __contains__(self, key: object) -> bool:
        return bool(self._space.store.ids([str(key)])[0] >= 0)

    def __getitem__(self, key: object) -> dict[str, Any]:
        return self.get([key])[0]

    def __repr__(self) -> str:
        try:
            return f"Collection({str(self.path)!r}, {len(self):,} items, senses {', '.join(self.senses) or 'none'})"
        except SimiliaError as error:
            return f"Collection({str(self.path)!r}: {error})"

    def __rich__(self) -> Group:
        return self.info().__rich__()

    def _repr_html_(self) -> str:
        return self.info()._repr_html_()

    @property
    def fields(self) -> dict[str, str]:
        """Field name -> type, in the order of appearance."""
        with self._space.reading() as state:
            return dict(state.fields)

    def get(self, keys: Iterable[object]) -> list[dict[str, Any]]:
        """The records of some items, each with its key as ``_key``.

        Raises:
            UnknownItem: a key that no item has; names the nearest.
        """
        from similia.collection.browsing import get

        return get(self._space, keys)

    def facets(self, field: str, *, where: str | None = None, limit: int = 20) -> list[tuple[Any, int]]:
        """The most frequent values of a field and how many items have each; the entries of lists count one by one."""
        from similia.collection.browsing import facets

        return facets(self._space, field, where, limit)

    def browse(self, where: str | None = None, *, k: int = 10, offset: int = 0) -> Page:
        """The items that pass a filter, in the order in which they were added, ``k`` from ``offset`` on.

        Raises:
            FilterError: the filter cannot be understood.
            InputError: a k below 1 or an offset below 0.
        """
        from similia.collection.browsing import browse

        return browse(self._space, where, k, offset)

    @property
    def version(self) -> int:
        """The number of the last change that was stored; whether an answer that was kept still holds."""
        return self._space.store.version()

    def info(self) -> Info:
        """Fields, senses, sizes, last change."""
        from similia.collection.informing import info

        return info(self._space, self.path)

    # -- changing

    def add(
        self,
        source: object,
        *,
        text: str | Sequence[str] | None = None,
        key: str | None = None,
        schema: Mapping[str, str] | None = None,
        on_duplicate: Literal["error", "skip", "replace"] = "error",
        vectors: str | None = None,
        encoder: str | Encoder | None = None,
        precision: Literal["float32", "float16"] = "float32",
        format: str | None = None,
        encoding: str | None = None,
        on_error: Literal["raise", "skip"] = "raise",
        batch_size: int | None = None,
        progress: bool | None = None,
    ) -> AddReport:
        """Add items; the first add also makes the sense ``topic``.

        The input is read once to find the type of every field and to check that it is good, then again to be stored,
        in batches each of which is complete when it is stored. Interrupted, the same call goes on where it stopped.

        Args:
            source: a file (CSV, TSV, JSON, JSONL, Parquet, Arrow; also compressed), a folder of documents or images,
                several of these, ``"-"`` for standard input, dicts, or a table of pandas, polars or Arrow.
            text: the fields that ``topic`` reads; by default all text fields.
            key: the field that names an item; by default that of earlier adds, or ``_key``, ``id`` or ``key`` (of
                folders: ``path``) where every item has its own value, else items are numbered.
            schema: field -> type, instead of what is found.
            on_duplicate: for a key that is there, or twice in the input: ``error`` adds nothing, ``skip`` keeps the
                item that is there, ``replace`` takes the new one.
            vectors: the field that holds vectors made elsewhere; ``topic`` then has these.
            encoder: what makes the vectors of ``topic``, or made those given; see `similia.encode.load`.
            precision: ``float32``, or ``float16`` for half the space; the loss is in the report.
            format: of files, instead of what their names and first bytes tell.
            encoding: of text files, by default UTF-8, or UTF-16 with a mark.
            on_error: ``raise`` adds nothing where a file of a folder cannot be read, ``skip`` notes it in the report.
            batch_size: items stored at a time.
            progress: True or False to show a bar or not; by default on a terminal.

        Raises:
            SourceError: the input cannot be read; says which line.
            DuplicateKey: a key is there already, or twice in the input.
            InputError: a field that is not there, or what cannot go together.
            FingerprintMismatch: the encoder here is another than the one that made a sense.
            CollectionBusy: another writer did not end within the waiting time.
        """
        from similia.collection.adding import add
        from similia.collection.planning import Request

        request = Request(text, key, on_duplicate, vectors, encoder, precision, batch_size, progress)
        return add(self._space, source, request, schema=schema, format=format, encoding=encoding, on_error=on_error)

    def delete(self, keys: Iterable[object] | None = None, *, where: str | None = None) -> int:
        """Delete items by key or by filter, all or none, and return how many there were.

        Raises:
            InputError: neither keys nor a filter are given, or both.
            UnknownItem: a key that no item has.
        """
        from similia.collection.deleting import delete

        return delete(self._space, keys, where)

    def undo(self) -> ChangeRow:
        """Take the last change back, whatever it was, and return its line of the log.

        Raises:
            NothingToUndo: there is none, or it has been taken back.
        """
        row = self._space.store.undo()
        refresh(self._space)
        return row

    def log(self, limit: int | None = None) -> list[ChangeRow]:
        """The changes, newest first: number, command, arguments, state, times, and how many items each touched."""
        return self._space.store.log(limit)

    # -- finding: `search`, `search_many` and `similar` stand in `similia.collection.finding`

    def compare(self, a: object, b: object) -> Comparison:
        """Compare the items of two keys: how alike in each sense and why, shared rare words, and field by field.

        Raises:
            UnknownItem: a key that no item has.
        """
        from similia.collection.comparing import compare

        return compare(self._space, a, b)

    def label(
        self, classes: Classes, *, sense: str = "topic", save: str | None = None, progress: bool | None = None
    ) -> Labels:
        """Assign each item to one of the classes that are described, without training.

        Args:
            classes: a file or a list of lines, one class each: ``name``, or ``name: keyword, keyword`` (``#`` begins a
                comment); or a mapping of names to keywords.
            sense: whose vectors are used; it needs an encoder.
            save: a field that the labels are written to.
            progress: as in `add`.

        Raises:
            InputError: a class without keywords or twice, no items, or a field that labels must not replace.
        """
        from similia.collection.labelling import label

        return label(self._space, classes, sense=sense, save=save, progress=progress)

    def near_duplicates(
        self, *, sense: str = "topic", threshold: float = 0.95, limit: int = 1000, where: str | None = None
    ) -> DuplicatePairs:
        """At most ``limit`` pairs that pass the filter and have a cosine of at least ``threshold``, best first."""
        from similia.collection.duplicates import near_duplicates

        return near_duplicates(self._space, sense=sense, threshold=threshold, limit=limit, where=where)

    def layout(self, sense: str = "topic") -> Layout:
        """A map of the collection: every item at a place on a plane, neighbours beside each other.

        The map is kept and grows with the collection; it is made anew when a fifth of the items is new.
        """
        from similia.collection.layout import layout

        return layout(self._space, sense)

    # -- keeping safe

    def export(
        self,
        path: str | os.PathLike[str],
        *,
        format: Literal["parquet", "jsonl", "csv", "tsv"] | None = None,
        where: str | None = None,
        vectors: bool = False,
        progress: bool | None = None,
    ) -> int:
        """Write items to a file, and return how many; the key is the column ``_key``, which `add` takes again.

        Args:
            path: ends in .parquet, .jsonl or .csv (these also with .gz, .xz, .zst).
            format: instead of what the name says.
            where: a filter.
            vectors: whether the vectors of every sense are written, too.
            progress: as in `add`.
        """
        from similia.collection.exporting import export

        return export(self._space, path, format=format, where=where, vectors=vectors, progress=progress)

    def backup(self, target: str | os.PathLike[str]) -> None:
        """Copy the collection to a new folder while others read and write; the copy is verified."""
        self._space.store.backup(Path(target).expanduser())

    def check(self, *, mend: bool = True) -> CheckReport:
        """Verify every promise, mend what can be made anew, and say what was mended."""
        from similia.collection.checking import check

        return check(self._space, mend=mend)

    @classmethod
    def restore(cls, backup: str | os.PathLike[str], target: str | os.PathLike[str]) -> None:
        """Make a collection at ``target`` from a backup, verified before it is there."""
        Store.restore(Path(backup).expanduser(), Path(target).expanduser())

    @classmethod
    def remove(cls, path: str | os.PathLike[str]) -> None:
        """Delete a collection; a folder that is none is left alone, and said (CollectionNotFound, InputError)."""
        Store.remove(Path(path).expanduser())
