"""Where data sets are looked for, and whether what is found is what it should be."""

from __future__ import annotations

import fnmatch
import hashlib
import lzma
import os
import tarfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from similia.errors import DatasetMissing

ENVIRONMENT = "SIMILIA_DATA"
_verified: dict[tuple[str, int, int], str] = {}


class UnverifiedDataWarning(UserWarning):
    """A data set was read whose checksum nobody has stated, so that nothing tells whether it is the right one."""


def cache_folder() -> Path:
    """The folder for what can be made again: ``SIMILIA_CACHE``, or ``similia`` in the user's cache folder."""
    if named := os.environ.get("SIMILIA_CACHE"):
        return Path(named).expanduser()
    return Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "similia"


def data_folders() -> list[Path]:
    """The folders in which data sets are looked for, first come first served.

    ``SIMILIA_DATA``; ``shared/data`` beside this checkout or beside a folder above the current one; ``data`` in the
    cache folder.
    """
    folders = [Path(named).expanduser()] if (named := os.environ.get(ENVIRONMENT)) else []
    source = Path(__file__).resolve().parents[4]
    try:
        here = [Path.cwd(), *Path.cwd().parents]
    except FileNotFoundError:  # the current folder was removed
        here = []
    for base in (source.parent, *here):
        folder = base / "shared" / "data"
        if folder.is_dir() and folder not in folders:
            folders.append(folder)
    return [*folders, cache_folder() / "data"]


@dataclass(frozen=True)
class Files:
    """Which files a data set, or a split with files of its own, is made of.

    Attributes:
        packed: the packed file, in a data folder; as in `fnmatch` where ``sha256`` is None.
        sha256: of the packed file. None: not known.
        unpacked: where the files of the origin may lie instead, in a data folder.
        patterns: which of them count, as in `fnmatch`.
        content: digest of those (`Source.digest`). None: not known.
        beside: other files that are read before these.
    """

    packed: str
    sha256: str | None
    unpacked: str
    patterns: tuple[str, ...]
    content: str | None
    beside: Files | None = None

    @property
    def verifiable(self) -> bool:
        """Whether the checksums of all of them are known."""
        return None not in (self.sha256, self.content) and (self.beside is None or self.beside.verifiable)

    def find(self, name: str) -> Source:
        """See `find`."""
        return find(
            name,
            packed=self.packed,
            sha256=self.sha256,
            unpacked=self.unpacked,
            patterns=self.patterns,
            content=self.content,
            beside=self.beside,
        )


@dataclass(frozen=True)
class Source:
    """The files of one data set: packed in one file, or lying in a folder as at their origin.

    Attributes:
        path: the packed file (.tar.xz, .zip or .xz), or the folder.
        patterns: which files count, as in `fnmatch`.
        verified: whether they were compared with a known checksum.
        beside: files that are read before these.
    """

    path: Path
    patterns: tuple[str, ...]
    verified: bool = True
    beside: Source | None = None

    def files(self) -> Iterator[tuple[str, bytes]]:
        """Each file that counts, with its content."""
        if self.beside is not None:
            yield from self.beside.files()
        if self.path.is_dir():
            for path in sorted(path for path in self.path.rglob("*") if path.is_file()):
                if self._counts(name := path.relative_to(self.path).as_posix()):
                    yield name, path.read_bytes()
        elif self.path.name.endswith(".tar.xz"):
            with tarfile.open(self.path, "r:xz") as archive:
                for member in archive:
                    content = archive.extractfile(member) if self._counts(member.name) else None
                    if content is not None:
                        yield member.name, content.read()
        elif self.path.suffix == ".zip":
            with zipfile.ZipFile(self.path) as archive:
                for name in filter(self._counts, archive.namelist()):
                    yield name, archive.read(name)
        else:
            with self.single() as file:
                yield self.path.name.removesuffix(".xz"), file.read()

    @contextmanager
    def single(self) -> Iterator[IO[bytes]]:
        """The one file of a set that has only one, without reading it whole."""
        path = next(p for p in sorted(self.path.iterdir()) if self._counts(p.name)) if self.path.is_dir() else self.path
        with lzma.open(path) if path.suffix == ".xz" else path.open("rb") as file:
            yield file

    def _counts(self, name: str) -> bool:
        return any(fnmatch.fnmatchcase(name, pattern) for pattern in self.patterns)

    def complete(self) -> bool:
        """Whether there is a file for each pattern."""
        names = [name for name, _ in self.files()]
        return all(any(fnmatch.fnmatchcase(name, pattern) for name in names) for pattern in self.patterns)

    def digest(self) -> str:
        """SHA-256 of a packed file; of names and SHA-256s of the files that count, where they lie in a folder."""
        if self.path.is_dir():
            return digest_of(dict(self.files()))
        status = self.path.stat()
        key = (str(self.path), status.st_size, status.st_mtime_ns)
        if key not in _verified:
            with self.path.open("rb") as file:
                _verified[key] = hashlib.file_digest(file, "sha256").hexdigest()
        return _verified[key]


def digest_of(files: dict[str, bytes]) -> str:
    """SHA-256 of the names and SHA-256s of files, in the order of the names."""
    lines = (f"{name}\0{hashlib.sha256(content).hexdigest()}\n" for name, content in sorted(files.items()))
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def find(
    name: str,
    *,
    packed: str,
    sha256: str | None,
    unpacked: str,
    patterns: tuple[str, ...],
    content: str | None,
    beside: Files | None = None,
) -> Source:
    """Find the files of a data set and check them, as far as their checksums are known.

    Args:
        name: what to call it in an error.
        packed: see `Files`, as for the others.
        sha256: of the packed file.
        unpacked: where the files of the origin may lie instead.
        patterns: which of them count.
        content: digest of those.
        beside: other files that are read before these.

    Raises:
        DatasetMissing: nothing found, or what was found is not what it should be.
    """
    others = None if beside is None else beside.find(name)
    for folder in data_folders():
        for place, wanted in (*_packed(folder, packed, sha256), (folder / unpacked, content)):
            source = Source(place, patterns, verified=wanted is not None)
            if not place.exists() or (place.is_dir() and not any(True for _ in source.files())):
                continue
            if wanted is None:
                if source.complete():
                    return Source(place, patterns, verified=False, beside=others)
            elif (found := source.digest()) != wanted:
                raise DatasetMissing(
                    f"data set {name!r}: {place} has SHA-256 {found[:16]}... and not {wanted[:16]}...; "
                    "it is damaged or of another version, so remove it or put the right one in its place"
                )
            else:
                return Source(place, patterns, verified=others is None or others.verified, beside=others)
    looked = ", ".join(str(folder) for folder in data_folders())
    raise DatasetMissing(f"data set {name!r} is not on this machine (looked in {looked})")


def _packed(folder: Path, packed: str, sha256: str | None) -> list[tuple[Path, str | None]]:
    if sha256 is not None:
        return [(folder / packed, sha256)]
    return [(path, None) for path in sorted(folder.glob(packed))]
