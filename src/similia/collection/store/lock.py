"""One writer at a time, over processes and threads.

A lock of the kernel on ``writer.lock`` (flock): it belongs to the open file, so that two threads exclude each other
as two processes do, and it is gone when its holder is, however that ended.
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

from similia.errors import CollectionBusy, CollectionNotFound, StorageError

NAME = "writer.lock"


@contextmanager
def writer_lock(folder: Path, command: str, wait: float) -> Iterator[None]:
    """Hold the right to write while the block runs.

    Args:
        folder: of the collection.
        command: what is being done, for the message that others get.
        wait: seconds to wait for another writer to end.

    Raises:
        CollectionBusy: another writer did not end in time; the message says who, what and since when.
        CollectionNotFound: the collection was removed meanwhile.
        StorageError: the lock file cannot be opened.
    """
    descriptor = _acquire(folder, wait)
    try:
        holder = {"pid": os.getpid(), "command": command, "since": datetime.now(UTC).isoformat("T", "seconds")}
        _write(descriptor, json.dumps(holder).encode())
        yield
    finally:
        _write(descriptor, b"")
        os.close(descriptor)


def _acquire(folder: Path, wait: float) -> int:
    path = folder / NAME
    end = time.monotonic() + wait
    pause = 0.005
    while True:
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        except FileNotFoundError:
            raise CollectionNotFound(f"{folder}: there is no collection at that place any more") from None
        except OSError as error:
            raise StorageError(f"{path}: cannot be opened for writing ({error.strerror}); check its rights") from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(descriptor)
            if error.errno not in (errno.EAGAIN, errno.EACCES):
                raise StorageError(f"{path}: cannot be locked ({error.strerror})") from error
            if time.monotonic() >= end:
                raise CollectionBusy(_busy(folder, path, wait)) from None
            time.sleep(pause)
            pause = min(2 * pause, 0.1)
            continue
        if _is_still(descriptor, path):
            return descriptor
        os.close(descriptor)  # removed, or replaced by another collection, while we waited


def _is_still(descriptor: int, path: Path) -> bool:
    with suppress(FileNotFoundError):
        return os.path.samestat(os.fstat(descriptor), path.stat())
    return False


def _write(descriptor: int, content: bytes) -> None:
    with suppress(OSError):  # it is for a message only: a full disk must not stand in the way
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, content, 0)


def _busy(folder: Path, path: Path, wait: float) -> str:
    holder = "another process"
    with suppress(OSError, ValueError, KeyError):
        said = json.loads(path.read_bytes())
        holder = f"process {said['pid']} ({said['command']}, since {said['since']})"
    return f"{folder} is being written by {holder}, which did not end within {wait:g} s; try again when it has"
