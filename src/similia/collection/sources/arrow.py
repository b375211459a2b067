"""Arrow files, and whatever hands out Arrow arrays in memory (polars, pyarrow, DuckDB), as rows."""

from __future__ import annotations

import mmap
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from similia.collection.sources.arrow_array import ArrowError, Buffer, Field, Node
from similia.collection.sources.arrow_decode import decode
from similia.collection.sources.arrow_ipc import batches
from similia.collection.sources.chunk import CHUNK_ROWS, Chunk, located
from similia.collection.sources.compression import PlainFile, file_identity, opened
from similia.errors import SourceError

CHUNK_BYTES = 8 << 20
"""Bytes of Arrow buffers that are turned to rows at a time, on average."""


_DAMAGE = (AssertionError, IndexError, KeyError, OverflowError, TypeError, ValueError)
"""What decoding raises where lengths, offsets or codes in a file do not fit together."""


class ArrowFile:
    """A file in Arrow's file or stream format, with LZ4 or ZSTD inside or not.

    The file is mapped into memory and its pages given back as they are done with. Where it is compressed inside, one
    record batch is held at a time, as it was cut by whoever wrote the file.
    """

    notes: Sequence[str] = ()

    def __init__(self, path: Path, name: str) -> None:
        self.path, self.name = path, name
        self.declared: Mapping[str, str] = {}
        self._file = PlainFile(path, name)

    def read(self, skip: int = 0) -> Iterator[Chunk]:
        """The rows from number ``skip`` on."""
        first = 1
        with opened(self._file.path(), self.name) as file:
            try:
                pages = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
            except ValueError:
                raise SourceError("no rows: the file is empty", source=self.name) from None
            # The arrays hold the mapping; it goes when the last of them does.
            try:
                for kind, node in batches(memoryview(pages)):
                    self.declared = declared_types(kind)
                    for chunk in rows_of(kind, node, self.name, skip, first):
                        yield chunk
                        if hasattr(mmap, "MADV_DONTNEED"):  # the pages come back from the file where needed
                            pages.madvise(mmap.MADV_DONTNEED)
                    skip = max(0, skip - node.length)
                    first += node.length
            except ArrowError as error:
                raise SourceError(str(error), source=self.name) from None
            except _DAMAGE as error:
                if isinstance(error, SourceError):
                    raise
                reason = f"the file is damaged ({type(error).__name__}: {error})"
                raise SourceError(reason, source=self.name) from None

    def identity(self) -> str:
        """A hash of the file's name and bytes."""
        return file_identity(self.path, self.name)

    def close(self) -> None:
        """Remove the unpacked file, if there is one."""
        self._file.close()


def rows_of(
    kind: Field, node: Node, name: str, skip: int = 0, first: int = 1, *, arrays: bool = True
) -> Iterator[Chunk]:
    """The rows of one batch from number ``skip`` on, a bounded number at a time.

    Args:
        kind: the struct of all columns.
        node: the batch.
        name: the source, for messages.
        skip: rows to leave out.
        first: the number of the batch's first row.
        arrays: give lists of float32 as arrays.
    """
    names = [child.name for child in kind.children]
    twice = next((field for position, field in enumerate(names) if field in names[:position]), None)
    if twice is not None:
        raise SourceError(f"two columns are called {twice!r}; give every column a name of its own", source=name)
    size = sum(len(buffer) for buffer in _buffers(node))
    rows = max(1, min(CHUNK_ROWS, CHUNK_BYTES * node.length // max(size, 1)))
    for start in range(skip, node.length, rows):
        count = min(rows, node.length - start)
        columns = []
        for child, part in zip(kind.children, node.children, strict=True):
            try:
                columns.append(decode(child, part.part(node.offset + start, count), top=arrays))
            except ArrowError as error:
                message = f"column {child.name!r} {error}"
                if error.row is None:
                    raise SourceError(message, source=name) from None
                raise located(message, name, first + start + error.row, "row") from None
            except _DAMAGE as error:
                reason = f"column {child.name!r} is damaged ({type(error).__name__}: {error})"
                raise SourceError(reason, source=name) from None
        records = [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]
        yield Chunk(records or [{} for _ in range(count)], name, range(first + start, first + start + count), "row")


def _buffers(node: Node) -> Iterator[Buffer]:
    yield from (buffer for buffer in node.buffers if buffer is not None)
    for child in node.children:
        yield from _buffers(child)


_DECLARED = {"b": "boolean", "td": "date", "ts": "datetime", "tD": "number", "d:": "number", "+s": "json", "+m": "json"}


def declared_types(kind: Field) -> dict[str, str]:
    """What a schema says of columns that turn out to hold nothing but null, and which of them are categories."""
    found = {}
    for field in kind.children:
        if field.dictionary is not None and field.dictionary.format in ("u", "U", "vu"):
            found[field.name] = "category"
        elif field.format in ("e", "f", "g"):
            found[field.name] = "number"
        elif field.format in tuple("cCsSiIlL"):
            found[field.name] = "integer"
        elif field.format[:2] in ("+l", "+L", "+w", "+v"):
            found[field.name] = "list"
        elif field.format[:2] in _DECLARED:
            found[field.name] = _DECLARED[field.format[:2]]
    return found


class ArrowTable:
    """Anything with ``__arrow_c_stream__``: polars, pyarrow and DuckDB tables, record batch readers.

    Args:
        table: the object.
        name: what messages call it.
        arrays: give lists of float32 as arrays.
    """

    notes: Sequence[str] = ()

    def __init__(self, table: Any, name: str, *, arrays: bool = True) -> None:
        self._table, self.name, self._arrays = table, name, arrays
        self.declared: Mapping[str, str] = {}

    def read(self, skip: int = 0) -> Iterator[Chunk]:
        """The rows from number ``skip`` on."""
        first = 1
        for kind, node in capsule_batches(self._table):
            self.declared = declared_types(kind)
            yield from rows_of(kind, node, self.name, skip, first, arrays=self._arrays)
            skip = max(0, skip - node.length)
            first += node.length

    def identity(self) -> str | None:
        """None: the rows tell."""
        return None

    def close(self) -> None:
        """Nothing is held."""


def capsule_batches(table: Any) -> Iterator[tuple[Field, Node]]:
    """The batches of an object that hands out an Arrow stream."""
    from nanoarrow import c_array_stream

    with c_array_stream(table) as stream:
        kind = _c_field(stream.get_schema())
        for array in stream:
            yield kind, _c_node(array, array.view())


def _c_field(schema: Any) -> Field:
    metadata = {bytes(key): bytes(value) for key, value in schema.metadata.items()} if schema.metadata else {}
    return Field(
        schema.format,
        schema.name or "",
        [_c_field(child) for child in schema.children],
        None if schema.dictionary is None else _c_field(schema.dictionary),
        metadata.get(b"ARROW:extension:name", b"").decode(),
    )


def _c_node(array: Any, view: Any) -> Node:
    buffers = [np.frombuffer(view.buffer(index), np.uint8) for index in range(view.n_buffers)]
    return Node(
        array.length,
        array.offset,
        [buffer if len(buffer) else None for buffer in buffers],
        [_c_node(array.child(index), view.child(index)) for index in range(array.n_children)],
        None if array.dictionary is None else _c_node(array.dictionary, view.dictionary),
    )
