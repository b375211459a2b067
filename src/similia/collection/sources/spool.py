"""Rows that can be had only once, or at a price, kept in a temporary file for the second reading."""

from __future__ import annotations

import marshal
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import IO

from similia.collection.sources.chunk import Chunk, Reader, skipped
from similia.collection.sources.compression import disk_error
from similia.errors import SourceError


class Spool:
    """Chunks in a temporary file without a name, which the system removes however the process ends.

    Rows are written by `marshal`: exact for every JSON-like value, several times faster than JSON, and read by
    nobody but the process that wrote them.

    Examples:
        >>> spool = Spool("rows")
        >>> spool.write(Chunk([{"a": float("inf"), "b": 2**70}], "rows", range(1, 2), "row"))
        >>> [chunk.rows for chunk in spool.read()]
        [[{'a': inf, 'b': 1180591620717411303424}]]
        >>> spool.close()
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._file: IO[bytes] = tempfile.TemporaryFile(prefix="similia-rows-")  # noqa: SIM115 - closed by close()
        self._sizes: list[int] = []

    def write(self, chunk: Chunk) -> None:
        """Append one chunk.

        Raises:
            StorageFull: the disk for temporary files is full.
        """
        places = chunk.places if isinstance(chunk.places, range) else list(chunk.places)
        where = [places.start, places.stop] if isinstance(places, range) else places
        packed = marshal.dumps((chunk.rows, chunk.source, isinstance(places, range), where, chunk.unit, chunk.textual))
        try:
            self._file.seek(0, 2)
            self._file.write(packed)
            self._file.flush()
        except OSError as error:
            raise disk_error(error, self._name) from None
        self._sizes.append(len(packed))

    def read(self) -> Iterator[Chunk]:
        """Every chunk, in the order of writing."""
        offset = 0
        for size in self._sizes:
            self._file.seek(offset)
            rows, source, ranged, where, unit, textual = marshal.loads(self._file.read(size))  # noqa: S302 - our own
            places = range(*where) if ranged else where
            yield Chunk(rows, source, places, unit, textual)
            offset += size

    def close(self) -> None:
        """Give up the file."""
        with suppress(OSError):  # what a full disk did not take is written once more by close
            self._file.close()


class Spooled:
    """A reader whose rows are kept while they are read first, and come from there afterwards.

    Args:
        inner: where the rows come from.
        once: whether ``inner`` can be read only once.
    """

    def __init__(self, inner: Reader, *, once: bool) -> None:
        self._inner, self._once = inner, once
        self._spool: Spool | None = None
        self._complete = False

    @property
    def name(self) -> str:
        """What messages call it."""
        return self._inner.name

    @property
    def declared(self) -> Mapping[str, str]:
        """What the inner reader declares."""
        return self._inner.declared

    @property
    def notes(self) -> Sequence[str]:
        """What the inner reader left out."""
        return self._inner.notes

    def read(self, skip: int = 0) -> Iterator[Chunk]:
        """The rows from number ``skip`` on."""
        return skipped(self._chunks(), skip)

    def _chunks(self) -> Iterator[Chunk]:
        if self._complete and self._spool is not None:
            yield from self._spool.read()
            return
        if self._spool is not None:
            self._spool.close()
            if self._once:
                raise SourceError("was read in part and cannot be read again; give a list or a file", source=self.name)
        self._spool = Spool(self.name)
        for chunk in self._inner.read():
            self._spool.write(chunk)
            yield chunk
        self._complete = True

    def identity(self) -> str | None:
        """What the inner reader says."""
        return self._inner.identity()

    def close(self) -> None:
        """Give up the temporary file."""
        if self._spool is not None:
            self._spool.close()
        self._inner.close()
