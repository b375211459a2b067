"""Folders of text, Markdown, HTML, PDF and images: one item a file."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import Any, Literal

from similia.collection.sources import images
from similia.collection.sources.chunk import BLOCK, MAX_RECORD, Chunk, skipped
from similia.collection.sources.compression import open_bytes, plain_name
from similia.collection.sources.encoding import decode_all, detect
from similia.collection.sources.html import charset, visible_text
from similia.collection.sources.pdf import pdf_text
from similia.errors import SimiliaError, SourceError

KINDS = {
    **dict.fromkeys((".txt", ".text", ".rst", ".tex", ".org", ".adoc", ".log"), "text"),
    **dict.fromkeys((".md", ".markdown", ".mdown"), "markdown"),
    **dict.fromkeys((".html", ".htm", ".xhtml"), "html"),
    ".pdf": "pdf",
    **dict.fromkeys(images.SUFFIXES, "image"),
}
"""What is read, by suffix. Files without a suffix (README, LICENSE) are text if their bytes are."""

FIELDS = {
    "path": "text",
    "title": "text",
    "text": "text",
    "kind": "category",
    "size": "integer",
    "modified": "datetime",
    "width": "integer",
    "height": "integer",
}

FILES = 256
"""Files that are handed out at a time, fewer where their texts are long."""

_NOTES = 100
_HEADING = re.compile(r"^ {0,3}#{1,6}[ \t]+(.+?)[ \t]*#*[ \t]*$|^(?=\S)(.+)\n(?:={2,}|-{2,})[ \t]*$", re.MULTILINE)
_FRONT_MATTER = re.compile(r"\A---[ \t]*\n.*?^(?:---|\.\.\.)[ \t]*$", re.MULTILINE | re.DOTALL)
_FENCE = re.compile(r"^(```+|~~~+).*?^\1", re.MULTILINE | re.DOTALL)

OnError = Literal["raise", "skip"]


def kind_of(path: Path) -> str | None:
    """Return what a file is by its name, or None where such files are not read.

    Examples:
        >>> kind_of(Path("notes.md.gz")), kind_of(Path("setup.py"))
        ('markdown', None)
    """
    plain = plain_name(path)
    return KINDS.get(plain.suffix.lower()) if plain.suffix else "text"


class Folder:
    """Files of a folder, or single ones, as items.

    Each has ``path`` (within the folder), ``title``, ``text``, ``kind`` (text, markdown, html, pdf, image), ``size`` in
    bytes and ``modified``; images have ``width`` and ``height`` and no text. Hidden files are left out; links are
    followed, each folder once.

    Args:
        root: the folder, or a single file.
        name: what messages call it.
        prefix: what stands before each path, where several folders are read together.
        encoding: of texts; pages may state their own.
        on_error: ``raise`` names the first file that cannot be read; ``skip`` leaves them out and notes them.
    """

    declared: Mapping[str, str] = FIELDS

    def __init__(
        self, root: Path, name: str, *, prefix: str = "", encoding: str | None = None, on_error: OnError = "raise"
    ) -> None:
        self.root, self.name, self._prefix, self._encoding, self._on_error = root, name, prefix, encoding, on_error
        self._notes: list[str] = []
        self._unread: Counter[str] = Counter()
        self._failed = 0

    @property
    def notes(self) -> Sequence[str]:
        """Which files were left out."""
        more = [f"and {self._failed - _NOTES:,} more"] if self._failed > _NOTES else []
        kinds = ", ".join(f"{suffix} ({count:,})" for suffix, count in self._unread.most_common(10))
        unread = [f"files of other kinds were left out: {kinds}"] if self._unread else []
        return [*self._notes, *more, *unread]

    def read(self, skip: int = 0) -> Iterator[Chunk]:
        """The items from number ``skip`` on, by path."""
        return skipped(self._chunks(), skip)

    def _chunks(self) -> Iterator[Chunk]:
        self._notes, self._unread, self._failed = [], Counter(), 0
        rows: list[dict[str, Any]] = []
        first, size = 1, 0
        for path in self._files():
            item = self._item(path)
            if item is None:
                continue
            rows.append(item)
            size += len(item.get("text") or "")
            if len(rows) >= FILES or size > BLOCK:
                yield Chunk(rows, self.name, range(first, first + len(rows)), "row")
                first, rows, size = first + len(rows), [], 0
        if rows:
            yield Chunk(rows, self.name, range(first, first + len(rows)), "row")

    def _files(self) -> Iterator[Path]:
        if not self.root.is_dir():
            yield self.root
            return
        for path in walk(self.root, self._problem, self._note):
            if kind_of(path) is None:
                self._unread[path.suffix.lower()] += 1
            else:
                yield path

    def _problem(self, path: Path, reason: str) -> None:
        shown = str(path).encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
        if self._on_error == "raise":
            raise SourceError(f"{reason}; leave out such files with --on-error skip", source=shown)
        self._note(f"{shown} was left out: {reason}")

    def _note(self, note: str) -> None:
        self._failed += 1
        if len(self._notes) < _NOTES:
            self._notes.append(note)

    def _item(self, path: Path) -> dict[str, Any] | None:
        inside = PurePosixPath(path.relative_to(self.root).as_posix() if self.root.is_dir() else path.name)
        name = f"{self._prefix}{inside}"
        try:
            name.encode()
        except UnicodeEncodeError:
            self._problem(path, "has a name that is not UTF-8")
            return None
        try:
            status = path.stat()
            if status.st_size > MAX_RECORD and kind_of(path) != "image":
                self._problem(path, f"is larger than {MAX_RECORD >> 20} MiB, the limit for one text")
                return None
            item: dict[str, Any] = {"path": name, "title": path.name}
            content = self._content(path)
            if content is None:
                return None
            item.update(content)
            item["size"] = status.st_size
            item["modified"] = _moment(status.st_mtime_ns)
        except SimiliaError as error:
            self._problem(path, str(error).removeprefix(f"{path}: "))
            return None
        except OSError as error:
            self._problem(path, f"cannot be read ({error.strerror})")
            return None
        return item

    def _content(self, path: Path) -> dict[str, Any] | None:
        kind = kind_of(path)
        with open_bytes(path, str(path)) as stream:
            if kind == "image":
                return _image(stream)
            data = stream.read(MAX_RECORD + 1)
        if len(data) > MAX_RECORD:
            raise SourceError(f"unpacks to more than {MAX_RECORD >> 20} MiB, the limit for one text")
        if kind == "pdf":
            title, text = pdf_text(data)
        elif kind == "html":
            title, text = visible_text(_page(data, str(path), self._encoding))
        else:
            if not path.suffix and b"\0" in data[:4096] and not data.startswith((b"\xff\xfe", b"\xfe\xff")):
                self._unread["without suffix"] += 1
                return None
            text = decode_all(data, str(path), self._encoding)
            title = _heading(text) if kind == "markdown" else None
        return {**({"title": title} if title else {}), "text": text, "kind": kind}

    def identity(self) -> str | None:
        """None: the items tell."""
        return None

    def close(self) -> None:
        """Nothing is held."""


def walk(root: Path, problem: Callable[[Path, str], None], note: Callable[[str], None]) -> Iterator[Path]:
    """All files below a folder that are not hidden, by name; links to folders are followed, each folder once."""
    seen: set[tuple[int, int]] = set()
    waiting = [root]
    while waiting:
        folder = waiting.pop()
        if not folder.is_dir():
            yield folder
            continue
        try:
            status = folder.stat()
            if (status.st_dev, status.st_ino) in seen:
                continue
            seen.add((status.st_dev, status.st_ino))
            names = sorted(name for name in os.listdir(folder) if not name.startswith("."))  # noqa: PTH208 - names only
        except OSError as error:
            problem(folder, f"cannot be opened ({error.strerror})")
            continue
        for name in reversed(names):
            path = folder / name
            if path.is_dir() or path.is_file():
                waiting.append(path)
            elif path.is_symlink() and kind_of(path) is not None:
                note(f"{path} was left out: it is a link to nothing")


def _image(stream: Any) -> dict[str, Any]:
    import io

    # Headers stand at the beginning, after at most some metadata (a thumbnail, a colour profile).
    found = images.image_size(io.BytesIO(stream.read(1 << 20)))
    if found is None:
        raise SourceError("is damaged or no image that is known (PNG, JPEG, GIF, WebP, BMP, TIFF)")
    return {"kind": "image", "width": found[1], "height": found[2]}


def _page(data: bytes, name: str, encoding: str | None) -> str:
    """Decode a page as browsers do: byte order mark, what it declares, UTF-8, and last Windows' Latin-1."""
    detected, mark = detect(data[:4], None, name)
    for candidate in (detected if mark else None, encoding, charset(data), "utf-8"):
        if candidate is None:
            continue
        try:
            return data[mark:].decode(candidate)
        except (LookupError, UnicodeDecodeError):
            continue
    return data.decode("cp1252", "replace")


def _heading(text: str) -> str | None:
    """The first heading of a Markdown text, outside of code and front matter."""
    match = _HEADING.search(_FENCE.sub("", _FRONT_MATTER.sub("", text)))
    return (match[1] or match[2]).strip() if match else None


def _moment(nanoseconds: int) -> str | None:
    try:
        return datetime.fromtimestamp(nanoseconds // 1000 / 1e6, UTC).replace(tzinfo=None).isoformat()
    except (OverflowError, ValueError, OSError):
        return None
