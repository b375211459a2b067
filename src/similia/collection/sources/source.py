"""A source of items: first read to know it, then read again for its items."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from similia.collection.sources.chunk import Chunk, Reader, nearest
from similia.collection.sources.convert import Convert, check_schema, conversions
from similia.collection.sources.encoding import check_encoding
from similia.collection.sources.folder import OnError
from similia.collection.sources.infer import Column
from similia.collection.sources.keys import KeyHashes
from similia.collection.sources.scan import Scan, Survey, converted, first_duplicate, key_texts
from similia.errors import InputError, SourceError
from similia.progress import Progress

_KEYS = ("text", "category", "integer")


class Source:
    """Items from files, folders, tables or iterables; made by `open_source`.

    Reading is done twice and holds a bounded number of rows: `scan` checks everything and finds the type of
    every field over all rows, `batches` gives the items with these types. A source may own temporary files,
    which go with `close`, the end of a ``with`` block, or the source itself.
    """

    def __init__(
        self,
        readers: Sequence[Reader],
        name: str,
        *,
        schema: Mapping[str, str] | None = None,
        text: Sequence[str] | None = None,
        cleanup: Iterable[Callable[[], None]] = (),
    ) -> None:
        self.name = name
        self._readers = list(readers)
        self._finalizers = [weakref.finalize(self, call) for call in (*cleanup, *(reader.close for reader in readers))]
        self._schema = check_schema(schema)
        self._text = tuple(text or ())
        self._found: Scan | None = None
        self._counts: list[int] = []
        self._cells: dict[str, str] = {}
        self._mixed: set[str] = set()

    def __repr__(self) -> str:
        return f"Source({self.name!r})"

    def __enter__(self) -> Source:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Remove temporary files; the source cannot be read any more."""
        for finalizer in self._finalizers:
            finalizer()

    @property
    def notes(self) -> tuple[str, ...]:
        """What was left out so far, one sentence each."""
        return tuple(note for reader in self._readers for note in reader.notes)

    def scan(self, *, key: str | None = None, progress: Progress | None = None) -> Scan:
        """Read everything once, and say what is there.

        Args:
            key: a field whose duplicates and gaps are wanted, found exactly whatever their number.
            progress: is told of the rows as they are read.

        Raises:
            SourceError: something cannot be read, does not fit the schema, or there are no rows; it says where.
        """
        states = self._states()
        survey = Survey(key)
        try:
            forced = [self._conversions(self._schema, textual=textual) for textual in (False, True)]
            survey.read(self._readers, forced, progress)
            if not survey.rows:
                raise SourceError("; ".join(["no rows: there is nothing in it", *self.notes[-3:]]), source=self.name)
            self._check_names(survey)
            scan = self._summary(survey)
        finally:
            survey.close()
        self._check_states(states)
        self._found = scan
        return scan

    def _states(self) -> list[tuple[int, int]]:
        from similia.collection.sources.formats import file_state

        paths = ((getattr(reader, "path", None), reader.name) for reader in self._readers)
        return [file_state(path, name) for path, name in paths if path is not None]

    def _check_states(self, before: list[tuple[int, int]]) -> None:
        if self._states() != before:
            raise SourceError("changed while it was being read; try again", source=self.name)

    def _check_names(self, survey: Survey) -> None:
        names = list(survey.columns)
        for what, asked in (("the schema", self._schema), ("text", self._text)):
            for name in asked:
                if name not in survey.columns:
                    raise SourceError(f"{what} names the field {name!r}; {nearest(name, names)}", source=self.name)
        if survey.key is not None and survey.key not in survey.columns:
            message = f"there is no field {survey.key!r} for the key; {nearest(survey.key, names)}"
            raise SourceError(message, source=self.name)

    def _summary(self, survey: Survey) -> Scan:
        key, columns = survey.key, survey.columns
        types = self._types(columns)
        self._cells = {name: kind for name, column in columns.items() if (kind := column.cell_type())}
        self._mixed = {name for name, column in columns.items() if not column.plain_strings}
        self._counts = survey.counts
        duplicate = None if key is None else self._duplicate(survey, key, types)
        unique = {}
        for name, kind in types.items():
            if kind in _KEYS:
                exact = duplicate is None and survey.missing is None
                unique[name] = exact if name == key else survey.is_unique(name, kind, forced=name in self._schema)
        return Scan(
            rows=survey.rows,
            types=types,
            examples=self._examples(columns, types),
            nulls={name: column.nulls for name, column in columns.items()},
            unique=unique,
            identity=survey.identity(),
            duplicate=duplicate,
            missing=survey.missing,
            notes=self.notes,
        )

    def _types(self, columns: Mapping[str, Column]) -> dict[str, str]:
        types = {}
        for name, column in columns.items():
            stated = {reader.declared[name] for reader in self._readers if name in reader.declared}
            kind = self._schema.get(name) or column.type(stated.pop() if len(stated) == 1 else None)
            if name in self._text and name not in self._schema and kind in ("category", "date", "datetime"):
                kind = "text"
            types[name] = kind
        return types

    def _examples(self, columns: Mapping[str, Column], types: Mapping[str, str]) -> dict[str, Any]:
        steps = [self._conversions(types, textual=textual) for textual in (False, True)]
        found = {}
        for name, column in columns.items():
            value = column.example
            if value is not None and name not in self._schema:
                for step in steps[bool(column.cell_kinds) and isinstance(value, str)].get(name, ()):
                    value = step(value)
            found[name] = value
        return found

    def _duplicate(self, survey: Survey, key: str, types: Mapping[str, str]) -> Any:
        padded = survey.columns[key].padded and types[key] == "integer"
        if key not in self._schema and (padded or types[key] not in _KEYS):
            # Different cells may become equal values: " 5" and "5", "1.0" and "1.00".
            survey.hashes[key].close()
            survey.hashes[key] = KeyHashes()
            for chunk in self._chunks(types):
                values = [row.get(key) for row in chunk.rows]
                survey.hashes[key].add(key_texts(values, survey.hashes[key].rows))
        return first_duplicate(survey.hashes[key], self._chunks(types), key)

    def _conversions(self, types: Mapping[str, str], *, textual: bool) -> dict[str, tuple[Convert, ...]]:
        return conversions(types, self._schema, textual=textual, cells=self._cells, mixed=self._mixed)

    def _chunks(self, types: Mapping[str, str], skip: int = 0) -> Iterator[Chunk]:
        """The rows from number ``skip`` on, with values of their types."""
        steps = [self._conversions(types, textual=textual) for textual in (False, True)]
        for reader, count in zip(self._readers, self._counts, strict=True):
            if skip >= count:
                skip -= count
                continue
            for chunk in reader.read(skip):
                for name, some in steps[chunk.textual].items():
                    for place, row in enumerate(chunk.rows):
                        value = row.get(name)
                        if value is not None:
                            row[name] = converted(value, some, name, chunk, place)
                yield chunk
            skip = 0

    def batches(self, size: int, *, skip: int = 0) -> Iterator[list[dict[str, Any]]]:
        """The items in order, ``size`` at a time, with values of their types.

        Args:
            size: how many at a time; the last batch may have fewer.
            skip: how many to leave out at the beginning.

        Values are JSON-like: str, int, float, bool, None, list, dict; dates and datetimes are ISO text; vectors are
        lists of numbers, or float32 arrays (d,) where the format holds them so. A key that is missing in an item of a
        JSON file is missing here.

        Raises:
            SourceError: the input changed since it was scanned.
        """
        if size < 1 or skip < 0:
            raise InputError(f"a batch of {size} after {skip} is not possible; size must be 1 and skip 0 at least")
        scan = self._found or self.scan()
        states = self._states()
        waiting: list[dict[str, Any]] = []
        given = min(skip, scan.rows)
        for chunk in self._chunks(scan.types, skip):
            waiting.extend(chunk.rows)
            start = 0
            while len(waiting) - start >= size:
                yield waiting[start : start + size]
                start += size
            given += start
            del waiting[:start]
        if waiting:
            yield waiting
        self._check_states(states)
        if given + len(waiting) != scan.rows:
            raise SourceError("changed since it was first read; try again", source=self.name)


def open_source(
    what: Any,
    *,
    schema: Mapping[str, str] | None = None,
    format: str | None = None,
    text: Sequence[str] | None = None,
    encoding: str | None = None,
    on_error: OnError = "raise",
) -> Source:
    """Open anything that holds items.

    Args:
        what: the path of a file (.csv .tsv .json .jsonl .parquet .arrow, each also .gz .xz .zst .bz2; a text, Markdown,
            HTML, PDF or image file is one item) or of a folder; several paths; ``"-"`` for standard input; a list or
            iterator of dicts; a pandas, polars or Arrow table.
        schema: types of fields, instead of those that are found: text, category, integer, number, boolean, date,
            datetime, list, json, vector, image.
        format: csv, tsv, json, jsonl, parquet, arrow or text, instead of what name and content tell.
        text: fields that are text, not categories or dates, however few different values they have.
        encoding: of text files, if it is not UTF-8 (or UTF-16 with its mark).
        on_error: what becomes of files in a folder that cannot be read: ``raise``, or ``skip`` and note them.

    Raises:
        SourceError: there is nothing of that kind.

    Examples:
        >>> source = open_source([{"id": 1, "title": "A cat"}, {"id": 2, "title": "A dog", "tags": ["pet"]}])
        >>> source.scan(key="id").types
        {'id': 'integer', 'title': 'text', 'tags': 'list'}
        >>> next(source.batches(1))
        [{'id': 1, 'title': 'A cat'}]
    """
    from similia.collection.sources.formats import check_format

    if on_error not in ("raise", "skip"):
        raise InputError(f"on_error is {on_error!r}; it can be 'raise' or 'skip'")
    if isinstance(text, str):
        text = [text]
    format, encoding = check_format(format), check_encoding(encoding)
    paths = _paths(what)
    if paths is None:
        return Source([_table_reader(what)], "the rows given", schema=schema, text=text)
    return _open_paths(paths, format, encoding, on_error, schema=schema, text=text)


def _paths(what: Any) -> list[str | Path] | None:
    if isinstance(what, str | Path):
        return [what]
    if isinstance(what, list | tuple) and what and all(isinstance(path, str | Path) for path in what):
        return list(what)
    return None


def _open_paths(
    paths: list[str | Path], format: str | None, encoding: str | None, on_error: OnError, **options: Any
) -> Source:
    from similia.collection.sources.formats import StandardInput, file_reader, path_readers, sniffed_format

    readers: list[Reader] = []
    cleanup = []
    for given in paths:
        if str(given) == "-":
            spooled = StandardInput()
            cleanup.append(spooled.remove)
            found = format or sniffed_format(spooled.path, "<standard input>")
            readers.append(file_reader(spooled.path, "<standard input>", found, encoding))
            continue
        path = Path(given)
        several = len(paths) > 1
        readers.extend(path_readers(path, format=format, encoding=encoding, on_error=on_error, several=several))
    name = readers[0].name if len(paths) == 1 and len(readers) == 1 else ", ".join(map(str, paths[:3]))
    return Source(readers, name if len(paths) <= 3 else f"{name} and {len(paths) - 3} more", cleanup=cleanup, **options)


def _table_reader(what: Any) -> Reader:
    from similia.collection.sources.arrow import ArrowTable
    from similia.collection.sources.frames import PandasFrame, Rows
    from similia.collection.sources.spool import Spooled

    name = "the rows given"
    if type(what).__module__.partition(".")[0] == "pandas" and hasattr(what, "iloc") and hasattr(what, "columns"):
        return PandasFrame(what, name)
    if hasattr(what, "__arrow_c_stream__"):
        if hasattr(what, "__len__"):
            return ArrowTable(what, name)
        return Spooled(ArrowTable(what, name, arrays=False), once=True)
    if hasattr(what, "to_dicts"):
        return Rows(what.to_dicts(), name)
    if isinstance(what, Mapping) or not isinstance(what, Iterable):
        raise SourceError(
            f"{type(what).__name__} holds no items; accepted are a path, a list or iterator of dicts, or a table",
            source=name,
        )
    return Rows(what, name) if isinstance(what, Sequence) else Spooled(Rows(what, name), once=True)
