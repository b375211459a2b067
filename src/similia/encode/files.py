"""Model files: where they are cached, and their SHA-256, computed once."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import sys
import tempfile
from pathlib import Path

from similia.errors import ModelError


def cache_folder() -> Path:
    """The user's cache folder for Similia: ``SIMILIA_CACHE``, else the platform's own place. It is not created here."""
    if chosen := os.environ.get("SIMILIA_CACHE"):
        return Path(chosen).expanduser()
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Caches"
    else:
        base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return base / "similia"


def sha256(path: Path) -> str:
    """SHA-256 of a file, remembered in the cache folder by place, size, time of change and inode.

    Hashing a model of 90 MB takes longer than encoding a query with it; the memory makes that a cost of the first time.
    A file that was exchanged has another time or inode, and is hashed again.

    Raises:
        ModelError: the file cannot be read.
    """
    try:
        path = path.resolve()
        status = path.stat()
    except OSError as error:
        raise ModelError(f"{path}: cannot be read ({error.strerror or error})") from None
    state = [status.st_size, status.st_mtime_ns, status.st_ino]
    memory = cache_folder() / "digests.json"
    known = _read(memory)
    entry = known.get(str(path))
    if isinstance(entry, list) and len(entry) == 4 and entry[:3] == state and isinstance(entry[3], str):
        return entry[3]
    try:
        with path.open("rb") as stream:
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise ModelError(f"{path}: cannot be read ({error.strerror or error})") from None
    _write(memory, {**_read(memory), str(path): [*state, digest]})
    return digest


def _read(memory: Path) -> dict[str, object]:
    try:
        known = json.loads(memory.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return known if isinstance(known, dict) else {}


def _write(memory: Path, known: dict[str, object]) -> None:
    """Replace the memory in one step; where the cache cannot be written, the next process hashes again."""
    with contextlib.suppress(OSError):
        memory.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=memory.parent, prefix=".digests")
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as stream:
                json.dump(known, stream)
            Path(temporary).replace(memory)
        except OSError:
            Path(temporary).unlink(missing_ok=True)
            raise
