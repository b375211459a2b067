"""Files that clients send: kept for a while, read to show their types, added in the background.

One thread does the work, since a collection has one writer. A file that was added in part (the server was killed, the
disk was full) goes on where it stopped when the same file is sent again: it is added from a place that is named after
its content, so that the collection knows it again.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
import queue
import secrets
import shutil
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

from similia.errors import CollectionBusy, InputError, SimiliaError, UnknownItem
from similia.serve.answers import discreet
from similia.serve.shelf import Shelf
from similia.serve.upload import RESTING, Options, Upload, fields_of, safe_name

MAX_HELD = 8
"""Most files that are kept or worked on at a time."""

PATIENCE = 3600.0
"""Seconds that a file is kept after the last word about it."""

FORGOTTEN = 24 * 3600.0
"""Seconds after which a file that a killed server left behind is deleted."""

PLACE = Path("derived") / ".uploads"
"""Where files are kept, in the folder of the collection: beside what can be deleted at any time."""

STOP_PATIENCE = 10.0
"""Seconds that a stopping server waits for the work under way."""

_log = logging.getLogger("similia.serve")


class Uploads:
    """The files of one server.

    Args:
        shelf: where they go.
    """

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf
        self._uploads: dict[str, Upload] = {}
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._work: queue.Queue[Callable[[], None] | None] = queue.Queue()
        self._worker: threading.Thread | None = None

    def receive(self, collection: str, name: str | None, stream: IO[bytes], *, start: Options | None = None) -> Upload:
        """Keep a file, and have it read.

        Args:
            collection: where it is to be added.
            name: what the client calls it.
            stream: its content.
            start: add it when it has been read, instead of waiting for `begin`.

        Raises:
            CollectionBusy: `MAX_HELD` files are being kept already.
        """
        upload = Upload(secrets.token_urlsafe(9), collection, safe_name(name), 0)
        with self._lock:
            self._forget()
            if sum(one.state not in RESTING for one in self._uploads.values()) >= MAX_HELD:
                raise CollectionBusy(f"{MAX_HELD} uploads are waiting here; add or cancel one of them first")
            if self._worker is None:  # a daemon: killing it is as safe as any crash, and must not hold up the exit
                self._worker = threading.Thread(target=self._run, name="similia uploads", daemon=True)
                self._worker.start()
            self._uploads[upload.id] = upload
        try:
            folder = self._shelf[collection].path / PLACE
            _sweep(folder)
            upload.path = folder / upload.id / upload.file
            upload.path.parent.mkdir(parents=True, mode=0o700)
            digest = hashlib.sha256()
            with upload.path.open("wb") as copy:
                while part := stream.read(1024 * 1024):
                    digest.update(part)
                    copy.write(part)
            upload.bytes, upload.digest = upload.path.stat().st_size, digest.hexdigest()[:32]
        except BaseException:
            self._discard(upload)
            self._uploads.pop(upload.id, None)
            raise
        self._work.put(lambda: self._read(upload, start))
        return upload

    def begin(self, upload: Upload, options: Options) -> Upload:
        """Have a file that was read added, in the background.

        Raises:
            InputError: it is not ready, or a field that is named is not in it.
        """
        names = [one.name for one in upload.fields]
        for name in [*([options.key] if options.key else []), *(options.text or ()), *(options.schema or ())]:
            if name not in names:
                raise InputError(f"the file has no field {name[:80]!r}; it has: {', '.join(names)[:400]}")
        with self._lock:
            if upload.state != "ready":
                raise InputError(f"the upload is {upload.state}; only one that is ready can be added")
            upload.move("waiting")
        self._work.put(lambda: self._add(upload, options))
        return upload

    def get(self, identity: str) -> Upload:
        """The upload of that name, or UnknownItem."""
        try:
            return self._uploads[identity]
        except KeyError:
            raise UnknownItem(f"no upload {identity[:40]!r} is known here; it may have been forgotten") from None

    def of(self, collection: str) -> list[Upload]:
        """The uploads to a collection, newest first."""
        return [one for one in reversed(list(self._uploads.values())) if one.collection == collection]

    def cancel(self, upload: Upload) -> Upload:
        """Give an upload up before anything of it is added.

        Raises:
            InputError: it is being added, or was.
        """
        with self._lock:
            if upload.state in ("adding", "done"):
                raise InputError(f"{upload.file} is {upload.state} and cannot be given up; take it back with undo")
            upload.cancelled = True
            if upload.state in ("ready", "waiting"):
                upload.move("stopped")
                self._discard(upload)
        return upload

    def progress(self, upload: Upload) -> Upload:
        """``upload``, its count of rows brought up to date from the log of the collection."""
        if upload.state == "adding":
            latest = self._shelf[upload.collection].log(1)
            if latest and latest[0].command == "add" and latest[0].state == "open":
                upload.done = max(upload.done, latest[0].added + latest[0].replaced)
        return upload

    def close(self) -> bool:
        """Delete what is kept; whether the work under way came to its end.

        What did not is cut off with the process: the batches that it finished stay, and the same file goes on there.
        """
        self._stopping.set()
        self._work.put(None)
        if self._worker is not None:
            self._worker.join(STOP_PATIENCE)
        ended = self._worker is None or not self._worker.is_alive()
        for upload in self._uploads.values():
            if ended or upload.state != "adding":
                self._discard(upload)
        return ended

    # -- the worker's side

    def _run(self) -> None:
        while (task := self._work.get()) is not None and not self._stopping.is_set():
            task()

    def _read(self, upload: Upload, start: Options | None) -> None:
        from similia.collection.sources import open_source

        def read() -> None:
            scan = open_source(upload.path).scan()
            upload.rows = scan.rows
            upload.fields = fields_of(scan)
            upload.key = next((name for name in ("id", "key") if scan.unique.get(name)), None)

        if not self._guarded(upload, read):
            return
        if upload.cancelled:
            upload.move("stopped")
            self._discard(upload)
            return
        upload.move("ready")
        if start is not None:
            try:
                self.begin(upload, start)
            except SimiliaError as error:
                upload.move("failed", str(error))
                self._discard(upload)

    def _add(self, upload: Upload, options: Options) -> None:
        with self._lock:
            if upload.state != "waiting":
                return
            upload.move("adding")

        def add() -> None:
            known = upload.path.parent.with_name(upload.digest) / upload.file
            known.parent.mkdir(mode=0o700, exist_ok=True)
            upload.path.replace(known)
            self._discard(upload)
            upload.path = known
            upload.report = self._patiently(upload.collection, known, options)

        if self._guarded(upload, add):
            upload.done = upload.rows or upload.done
            upload.move("done")
        self._discard(upload)

    def _patiently(self, collection: str, path: Path, options: Options) -> dict[str, Any]:
        """Add a file, waiting for other writers as long as it takes."""
        while True:
            try:
                report = self._shelf[collection].add(
                    path,
                    key=options.key,
                    text=list(options.text) if options.text else None,
                    schema=dict(options.schema) if options.schema else None,
                    on_duplicate=options.on_duplicate,
                    progress=False,
                )
            except CollectionBusy:
                if self._stopping.wait(1.0):
                    raise
            else:
                return report.to_dict()

    def _guarded(self, upload: Upload, work: Callable[[], None]) -> bool:
        """Do ``work``; if it fails, say so in ``upload``, in words that a client may read."""
        try:
            work()
        except SimiliaError as error:
            folders = [*self._shelf.folders, upload.path]
            upload.move("failed", discreet(str(error), folders))
        except Exception:  # noqa: BLE001 - the thread goes on, the log has the traceback
            reference = secrets.token_hex(4)
            _log.exception("upload failed, reference %s", reference)
            upload.move("failed", f"something went wrong here; the server's log tells more under {reference}")
        else:
            return True
        self._discard(upload)
        return False

    def _discard(self, upload: Upload) -> None:
        if upload.path != Path():
            shutil.rmtree(upload.path.parent, ignore_errors=True)

    def _forget(self) -> None:
        """Drop files that nobody came back for, and the record of old ones."""
        now = time.monotonic()
        for identity, upload in list(self._uploads.items()):
            if upload.state not in ("reading", "waiting", "adding") and now - upload.changed > PATIENCE:
                self._discard(upload)
                del self._uploads[identity]


def _sweep(folder: Path) -> None:
    """Delete what killed servers left behind."""
    for left in folder.glob("*"):
        with contextlib.suppress(OSError):
            if time.time() - left.stat().st_mtime > FORGOTTEN:
                shutil.rmtree(left, ignore_errors=True)
