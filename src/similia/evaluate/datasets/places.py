"""Where data sets are looked for, and whether what is found is what it should be."""

from __future__ import annotations

import fnmatch
import hashlib
import lzma
import os
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from similia.errors import DatasetMissing

ENVIRONMENT = "SIMILIA_DATA"
_verified: dict[tuple[str, int, int], str] = {}


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
class Source:
    """The files of one data set: packed in one file, or lying in a folder as at their origin.

    Attributes:
        path: the packed file (.tar.xz or .xz), or the folder.
        patterns: which files count, as in `fnmatch`.
    """

    path: Path
    patterns: tuple[str, ...]

    def files(self) -> Iterator[tuple[str, bytes]]:
        """Each file that counts, with its content."""
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

    def digest(self) -> str:
        """SHA-256 of a packed file; of names and SHA-256s of the files that count, where they lie in a folder."""
        if self.path.is_dir():
            lines = (f"{name}\0{hashlib.sha256(content).hexdigest()}\n" for name, content in sorted(self.files()))
            return hashlib.sha256("".join(lines).encode()).hexdigest()
        status = self.path.stat()
        key = (str(self.path), status.st_size, status.st_mtime_ns)
        if key not in _verified:
            with self.path.open("rb") as file:
                _verified[key] = hashlib.file_digest(file, "sha256").hexdigest()
        return _verified[key]


def find(name: str, *, packed: str, unpacked: str, patterns: tuple[str, ...], sha256: str, content: str) -> Source:
    """Find the files of a data set and check them.

    Args:
        name: what to call it in an error.
        packed: the packed file, relative to a data folder.
        unpacked: the folder of unpacked files, relative to a data folder.
        patterns: which files count.
        sha256: of the packed file.
        content: digest of the unpacked files (`Source.digest`).

    Raises:
        DatasetMissing: nothing found, or what was found is not what it should be.
    """
    for folder in data_folders():
        for place, wanted in ((folder / packed, sha256), (folder / unpacked, content)):
            source = Source(place, patterns)
            if not place.exists() or (place.is_dir() and not any(True for _ in source.files())):
                continue
            if (found := source.digest()) != wanted:
                raise DatasetMissing(
                    f"data set {name!r}: {place} has SHA-256 {found[:16]}... and not {wanted[:16]}...; "
                    "it is damaged or of another version, so remove it or put the right one in its place"
                )
            return source
    looked = ", ".join(str(folder) for folder in data_folders())
    raise DatasetMissing(f"data set {name!r} is not on this machine (looked in {looked})")
