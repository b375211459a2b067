"""Files as numbered lines of text, decompressed on the way; and written whole or not at all."""

from __future__ import annotations

import errno
import io
import os
import secrets
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any, TextIO

from similia.errors import InputError, SimiliaError, SourceError, StorageError, StorageFull

PACKED = {".gz": "gz", ".xz": "xz", ".zst": "zst"}
_MAGIC = {b"\x1f\x8b\x08": "gz", b"\xfd7zXZ\x00": "xz", b"\x28\xb5\x2f\xfd": "zst"}

Path_ = str | os.PathLike[str]


def plain_suffix(path: Path) -> str:
    """The suffix in small letters, without that of a compression.

    Examples:
        >>> plain_suffix(Path("test.QRELS.gz"))
        '.qrels'
    """
    return (Path(path.stem) if path.suffix.lower() in PACKED else path).suffix.lower()


def numbered_lines(path: Path) -> Iterator[tuple[int, str]]:
    """Yield (number from 1, text with its line end) of each line; only a line feed ends one.

    Raises:
        SourceError: there is no such file, it cannot be read, its compressed data is damaged, or a line is not UTF-8.
    """
    name, damage = str(path), _damage()
    try:
        with path.open("rb") as file:
            head = file.read(8)
            file.seek(0)
            kind = next((kind for magic, kind in _MAGIC.items() if head.startswith(magic)), None)
            with _unpacked(file, kind) as plain:
                for number, line in enumerate(plain, 1):
                    yield number, _text(line, name, number)
    except FileNotFoundError:
        raise SourceError("there is no such file", source=name) from None
    except IsADirectoryError:
        raise SourceError("is a folder, and a file is needed here", source=name) from None
    except damage as error:
        raise SourceError(f"cannot be read, or is damaged ({error})", source=name) from None


def _text(line: bytes, name: str, number: int) -> str:
    try:
        return line.decode("utf-8-sig" if number == 1 else "utf-8")
    except UnicodeDecodeError as error:
        raise SourceError(
            f"byte {error.start + 1} (0x{error.object[error.start]:02x}) is not UTF-8; save the file as UTF-8",
            source=name,
            line=number,
        ) from None


def _zstd() -> Any:
    if sys.version_info >= (3, 14):
        from compression import zstd
    else:
        from backports import zstd
    return zstd


def _damage() -> tuple[type[Exception], ...]:
    import lzma
    import zlib

    return (OSError, EOFError, zlib.error, lzma.LZMAError, _zstd().ZstdError)


def _unpacked(file: IO[bytes], kind: str | None) -> Any:
    if kind == "gz":
        import gzip

        return gzip.GzipFile(fileobj=file, mode="rb")
    if kind == "xz":
        import lzma

        return lzma.LZMAFile(file)
    return file if kind is None else _zstd().ZstdFile(file)


def _packing(file: IO[bytes], kind: str | None) -> Any:
    if kind == "gz":
        import gzip

        return gzip.GzipFile(filename="", fileobj=file, mode="wb", mtime=0)  # the same lines give the same bytes
    if kind == "xz":
        import lzma

        return lzma.LZMAFile(file, "w")
    return file if kind is None else _zstd().ZstdFile(file, "w")


@contextmanager
def writing(path: Path) -> Iterator[TextIO]:
    """A stream of UTF-8 text that becomes the file, compressed as its suffix says, when the block has ended well.

    Raises:
        InputError: the place cannot be a file, or a text is not Unicode.
        StorageFull, StorageError: the disk is full or refuses; what stood at ``path`` is unchanged.
    """
    if path.is_dir():
        raise InputError(f"{path} is a folder; name a file in it")
    if not path.parent.is_dir():
        raise InputError(f"{path}: there is no folder {path.parent}; make it first")
    temporary = path.with_name(f".{path.name[:100]}.{secrets.token_hex(4)}.part")
    try:
        with temporary.open("wb") as file, _packing(file, PACKED.get(path.suffix.lower())) as packed:
            text = io.TextIOWrapper(packed, encoding="utf-8", newline="")
            yield text
            text.flush()
            text.detach()
        with temporary.open("rb+") as written:
            os.fsync(written.fileno())
        temporary.replace(path)
    except SimiliaError:
        raise
    except UnicodeEncodeError as error:
        raise InputError(f"{path}: {error.object[error.start]!r} is half of a UTF-16 pair, not Unicode text") from None
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise StorageFull(f"{path}: the disk is full; make room and run it again") from None
        raise StorageError(f"{path}: the disk refused to write ({error.strerror or error})") from None
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
