"""Files as streams of bytes, decompressed on the way: .gz, .xz, .zst, .bz2, told apart by their first bytes."""

from __future__ import annotations

import hashlib
import re
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, BinaryIO, cast

from similia.errors import SourceError, StorageError, StorageFull

SUFFIXES = {".gz": "gz", ".xz": "xz", ".zst": "zst", ".zstd": "zst", ".bz2": "bz2"}

_MAGIC = (
    ("gz", re.compile(rb"\x1f\x8b\x08")),
    ("xz", re.compile(rb"\xfd7zXZ\x00")),
    ("zst", re.compile(rb"\x28\xb5\x2f\xfd")),
    ("bz2", re.compile(rb"BZh[1-9]1AY&SY")),
)


def compression_of(head: bytes) -> str | None:
    """Name the compression that ``head``, the first bytes of a file, belongs to.

    The bytes decide and not the suffix, since downloads are often unpacked on the way and keep their name.

    Examples:
        >>> import gzip
        >>> compression_of(gzip.compress(b"a")), compression_of(b"id,title")
        ('gz', None)
    """
    return next((name for name, magic in _MAGIC if magic.match(head)), None)


def plain_name(path: Path) -> Path:
    """``path`` without a compression suffix.

    Examples:
        >>> plain_name(Path("papers.jsonl.xz")).name
        'papers.jsonl'
    """
    return path.with_suffix("") if path.suffix.lower() in SUFFIXES else path


def _damage() -> tuple[type[Exception], ...]:
    import lzma
    import zlib

    return (EOFError, zlib.error, lzma.LZMAError, _zstd().ZstdError, OSError)


def _zstd() -> Any:
    if sys.version_info >= (3, 14):
        from compression import zstd
    else:
        from backports import zstd
    return zstd


def _decompressing(file: BinaryIO, kind: str) -> IO[bytes]:
    if kind == "gz":
        import gzip

        return cast("IO[bytes]", gzip.GzipFile(fileobj=file, mode="rb"))
    if kind == "xz":
        import lzma

        return lzma.LZMAFile(file)
    if kind == "bz2":
        import bz2

        return bz2.BZ2File(file)
    return cast("IO[bytes]", _zstd().ZstdFile(file))


class ByteStream:
    """The decompressed bytes of a file, read front to back; what goes wrong becomes a `SourceError`."""

    def __init__(self, file: IO[bytes], name: str, kind: str | None) -> None:
        self._file, self._name, self._kind = file, name, kind
        self._damage = _damage() if kind else (OSError,)

    def read(self, size: int = -1) -> bytes:
        """Return ``size`` bytes, fewer only at the end."""
        try:
            data = self._file.read(size)
            while 0 < len(data) < size:
                more = self._file.read(size - len(data))
                if not more:
                    break
                data += more
        except self._damage as error:
            if isinstance(error, OSError) and error.errno is not None:
                raise StorageError(f"{self._name}: the disk refused to read ({error.strerror})") from None
            reason = f"the {self._kind} data is damaged or cut short ({error}); fetch or compress the file again"
            raise SourceError(reason, source=self._name) from None
        return data

    def blocks(self, size: int) -> Iterator[bytes]:
        """The rest of the stream, ``size`` bytes at a time."""
        while block := self.read(size):
            yield block


def opened(path: Path, name: str) -> BinaryIO:
    """Open a file for reading, or say why not."""
    try:
        return path.open("rb")
    except FileNotFoundError:
        raise SourceError("there is no such file or folder", source=name) from None
    except IsADirectoryError:
        raise SourceError("is a folder, and a file is needed here", source=name) from None
    except OSError as error:
        raise SourceError(f"cannot be opened ({error.strerror})", source=name) from None


@contextmanager
def open_bytes(path: Path, name: str) -> Iterator[ByteStream]:
    """Open a file whose bytes are decompressed where they are compressed.

    Raises:
        SourceError: the file is missing, unreadable or damaged.
    """
    with opened(path, name) as file:
        kind = compression_of(file.read(16))
        file.seek(0)
        if kind is None:
            yield ByteStream(file, name, None)
            return
        with _decompressing(file, kind) as plain:
            yield ByteStream(plain, name, kind)


class PlainFile:
    """A file whose bytes are not compressed: the one given, or a temporary copy that goes with `close`."""

    def __init__(self, path: Path, name: str) -> None:
        self._path, self._name = path, name
        self._folder: tempfile.TemporaryDirectory[str] | None = None

    def path(self) -> Path:
        """Where it is; unpacked at the first call."""
        if self._folder is None:
            with opened(self._path, self._name) as file:
                if compression_of(file.read(16)) is None:
                    return self._path
            self._folder = tempfile.TemporaryDirectory(prefix="similia-")
            with open_bytes(self._path, self._name) as stream, self._copy(self._folder.name).open("wb") as out:
                try:
                    for block in stream.blocks(1 << 20):
                        out.write(block)
                except OSError as error:
                    raise disk_error(error, self._name) from None
        return self._copy(self._folder.name)

    def _copy(self, folder: str) -> Path:
        return Path(folder) / "plain"

    def close(self) -> None:
        """Remove the copy, if there is one."""
        if self._folder is not None:
            self._folder.cleanup()


def file_identity(path: Path, name: str) -> str:
    """Hash a file's name and the bytes on disk, as SHA-256 in hexadecimal."""
    with opened(path, name) as file:
        digest = hashlib.file_digest(cast("Any", file), "sha256")
    return hashlib.sha256(f"{path.name}\0{digest.hexdigest()}".encode("utf-8", "surrogateescape")).hexdigest()


@contextmanager
def compressing(file: BinaryIO, kind: str | None) -> Iterator[IO[bytes]]:
    """Write to ``file`` through the compression ``kind``; the file itself stays open."""
    if kind is None:
        yield file
        return
    if kind == "gz":
        import gzip

        # mtime 0 and no file name, so that the same records give the same bytes.
        packed: Any = gzip.GzipFile(filename="", fileobj=file, mode="wb", compresslevel=6, mtime=0)
    elif kind == "xz":
        import lzma

        packed = lzma.LZMAFile(file, "w", preset=3)  # noqa: SIM115 - closed below
    elif kind == "bz2":
        import bz2

        packed = bz2.BZ2File(file, "w")
    else:
        packed = _zstd().ZstdFile(file, "w")
    with packed:
        yield packed


def disk_error(error: OSError, name: str) -> StorageError:
    """Turn what the disk said while ``name`` was being written into an error of ours."""
    import errno

    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return StorageFull(f"{name}: the disk is full; make room, or set TMPDIR to a larger one for temporary files")
    return StorageError(f"{name}: the disk refused to write ({error.strerror or error})")
