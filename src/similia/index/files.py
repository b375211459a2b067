"""One file made for speed: named arrays behind a header that says what they were made from.

Layout: 4096 bytes of header (magic, length and CRC-32 of a JSON object, the object), then each array on a 64-byte
boundary, little-endian. The JSON object names every array's type, shape, place and checksum. A file is written under
another name and renamed, so a reader meets the old one or the new one; what is truncated, changed by a bit or was
made from something else is not opened.
"""

from __future__ import annotations

import contextlib
import json
import mmap
import os
import struct
import time
import uuid
import weakref
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

MAGIC = b"similia derived 2\n"
HEADER = 4096
ALIGNMENT = 64
CHUNK = 2**18
FORGOTTEN = 3600.0  # seconds after which a temporary file belongs to nobody
_PREFIX = struct.Struct("<18sII")
_KINDS: dict[str, np.dtype[Any]] = {
    name: np.dtype(name)
    for name in ("<i8", "<i4", "<i2", "|i1", "|u1", "|b1", "<u2", "<u4", "<u8", "<f8", "<f4", "<f2")
}

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Column:
    """An array to write: its type (such as ``<f4`` or ``|u1``), shape, and its rows in chunks."""

    kind: str
    shape: tuple[int, ...]
    chunks: Iterable[Array]

    @classmethod
    def of(cls, array: Array) -> Column:
        """A column of one array that is in memory already."""
        return cls(array.dtype.newbyteorder("<").str, array.shape, (array,))


@dataclass(frozen=True, eq=False)
class Mapped:
    """A verified file: its header and its arrays, mapped into memory and read-only."""

    header: dict[str, Any]
    arrays: dict[str, Array]
    _descriptor: int
    _stamp: tuple[int, int]

    def unchanged(self) -> bool:
        """Whether the mapped bytes are still those that were verified (nobody truncated or wrote into the file)."""
        try:
            return _stamp(self._descriptor) == self._stamp
        except OSError:
            return False

    def is_at(self, path: Path) -> bool:
        """Whether this is the file of that name, and no other has taken its place."""
        try:
            return os.path.samestat(os.fstat(self._descriptor), path.stat())
        except OSError:
            return False


def _stamp(descriptor: int) -> tuple[int, int]:
    status = os.fstat(descriptor)
    return status.st_size, status.st_mtime_ns


def write(path: Path, header: Mapping[str, Any], columns: Mapping[str, Column]) -> None:
    """Write ``columns`` chunk by chunk and put the file in its place in one step.

    Raises:
        OSError: the folder cannot be written; the file that was there stays.
        ValueError: the chunks of a column do not add up to its shape.

    Examples:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = Path(folder) / "numbers"
        ...     write(path, {"version": 3}, {"ids": Column.of(np.arange(4))})
        ...     opened = open_verified(path)
        ...     opened.header["version"], opened.arrays["ids"].tolist()
        (3, [0, 1, 2, 3])
    """
    path.parent.mkdir(exist_ok=True)
    _sweep(path.parent)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.{uuid.uuid4().hex[:8]}.tmp")
    places: dict[str, dict[str, Any]] = {}
    try:
        with temporary.open("wb") as file:
            file.write(b"\0" * HEADER)
            for name, column in columns.items():
                file.write(b"\0" * (-file.tell() % ALIGNMENT))
                places[name] = {"kind": column.kind, "shape": list(column.shape), "at": file.tell()}
                dtype, checksum = _KINDS[column.kind], Checksum()
                for chunk in column.chunks:
                    part = np.ascontiguousarray(chunk, dtype=dtype).reshape(-1).view(np.uint8).data
                    checksum.update(part)
                    file.write(part)
                if file.tell() - places[name]["at"] != dtype.itemsize * int(np.prod(column.shape)):
                    raise ValueError(f"column {name!r} does not have the shape {column.shape}")
                places[name]["checksum"] = checksum.value()
            size = file.tell()
            text = json.dumps({**header, "size": size, "arrays": places}).encode()
            if _PREFIX.size + len(text) > HEADER:
                raise ValueError(f"a header of {len(text)} bytes is longer than {HEADER - _PREFIX.size}")
            file.seek(0)
            file.write(_PREFIX.pack(MAGIC, len(text), zlib.crc32(text)) + text)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def open_verified(path: Path) -> Mapped | None:
    """Map a file, or return None where it is missing, truncated, damaged or not one of ours."""
    try:
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_CLOEXEC", 0))
    except OSError:
        return None
    try:
        stamp = _stamp(descriptor)
        found = _verified(descriptor, stamp[0])
    except (OSError, ValueError, KeyError, TypeError):
        found = None
    if found is None:
        os.close(descriptor)
        return None
    header, arrays = found
    mapped = Mapped(header, arrays, descriptor, stamp)
    weakref.finalize(mapped, os.close, descriptor)
    return mapped


def _verified(descriptor: int, size: int) -> tuple[dict[str, Any], dict[str, Array]] | None:
    """The header and the arrays, if every checksum is right; read for that, not mapped, so that memory stays small."""
    head = os.pread(descriptor, HEADER, 0)
    if len(head) < HEADER:
        return None
    magic, length, checksum = _PREFIX.unpack_from(head)
    text = head[_PREFIX.size : _PREFIX.size + length]
    if magic != MAGIC or len(text) != length or zlib.crc32(text) != checksum:
        return None
    header: dict[str, Any] = json.loads(text)
    if header["size"] != size:
        return None
    contents = mmap.mmap(descriptor, 0, access=mmap.ACCESS_READ)
    arrays: dict[str, Array] = {}
    for name, place in header["arrays"].items():
        dtype, shape, start = _KINDS[place["kind"]], tuple(place["shape"]), int(place["at"])
        count = int(np.prod(shape))
        if _checksum(descriptor, start, count * dtype.itemsize) != place["checksum"]:
            return None
        arrays[name] = np.frombuffer(contents, dtype, count, start).reshape(shape) if count else np.empty(shape, dtype)
    return header, arrays


class Checksum:
    """The CRC-32 of the sums of blocks of 256 KiB, as 64-bit words: any changed bit shows, at the speed of memory.

    Examples:
        >>> whole, parts = Checksum(), Checksum()
        >>> whole.update(b"0123456789")
        >>> parts.update(b"0123")
        >>> parts.update(b"456789")
        >>> whole.value() == parts.value()
        True
    """

    def __init__(self) -> None:
        self._rest, self._value = b"", 0

    def update(self, part: bytes | memoryview) -> None:
        """Go on with more bytes."""
        view, start = memoryview(part), 0
        if self._rest:
            start = min(CHUNK - len(self._rest), len(view))
            self._rest += view[:start]
            if len(self._rest) < CHUNK:
                return
            self._block(self._rest)
            self._rest = b""
        while len(view) - start >= CHUNK:
            self._block(view[start : start + CHUNK])
            start += CHUNK
        self._rest = bytes(view[start:])

    def _block(self, block: bytes | memoryview) -> None:
        total = int(np.frombuffer(block, "<u8").sum(dtype=np.uint64))
        self._value = zlib.crc32(total.to_bytes(8, "little"), self._value)

    def value(self) -> int:
        """The checksum of all bytes so far."""
        if not self._rest:
            return self._value
        ended = Checksum()
        ended._value = self._value
        ended._block(self._rest + b"\0" * (-len(self._rest) % 8))
        return ended._value


def _checksum(descriptor: int, start: int, length: int) -> int:
    buffer, checksum = memoryview(bytearray(min(CHUNK, length))), Checksum()
    place, end = start, start + length
    while place < end:
        count = os.preadv(descriptor, [buffer[: end - place]], place)
        if not count:
            return -1
        checksum.update(buffer[:count])
        place += count
    return checksum.value()


def _sweep(folder: Path) -> None:
    """Remove what killed writers left behind."""
    now = time.time()
    for leftover in folder.glob(".*.tmp"):
        with contextlib.suppress(OSError):
            if now - leftover.stat().st_mtime > FORGOTTEN:
                leftover.unlink()
