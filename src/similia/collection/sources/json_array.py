"""JSON files: an array of objects, or objects one after the other, read piece by piece whatever their size."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from similia.collection.sources.chunk import MAX_RECORD, Chunk
from similia.collection.sources.compression import file_identity, open_bytes
from similia.collection.sources.encoding import utf8_blocks
from similia.collection.sources.jsontext import JsonError, parse_objects
from similia.errors import SourceError

# Whatever has no brackets, and whole strings; then an opening bracket (1), a closing one (2), a quote (3) whose string
# has not ended in the buffer, or the end of it. One of these always follows, so that no match begins inside a string.
# Going from bracket to bracket is eight times as fast as from token to token.
_BRACKET = re.compile(rb'(?:[^"{}\[\]]++|"[^"\\]*+(?:\\.[^"\\]*+)*+")*+(?:([{\[])|([}\]])|(")|\Z)', re.DOTALL)
_SPACE = b" \t\r\n"


class JsonArray:
    """A JSON file: ``[{...}, {...}]``, or ``{...} {...}`` with nothing but white space between.

    Elements are found by their brackets and parsed a block at a time, so the file may be larger than memory; one
    element may have 64 MiB. What is exact and what is refused is as for JSON Lines.
    """

    declared: Mapping[str, str] = {}

    def __init__(self, path: Path, name: str, *, encoding: str | None = None) -> None:
        self.path, self.name, self._encoding = path, name, encoding
        self.notes: Sequence[str] = ()

    def read(self, skip: int = 0) -> Iterator[Chunk]:
        """The rows from number ``skip`` on."""
        with open_bytes(self.path, self.name) as stream:
            row, elements = 0, _Elements(self.name)
            for part in elements.parts(utf8_blocks(stream, self.name, self._encoding)):
                first = row + 1
                row += len(part.spans)
                if row <= skip:
                    continue
                part.spans = part.spans[max(0, skip - first + 1) :]
                places = range(row - len(part.spans) + 1, row + 1)
                rows = part.rows(self.name, places)
                self.notes = _lone_object(self.name, rows) if row == 1 and not elements.array else ()
                yield Chunk(rows, self.name, places, "row")

    def identity(self) -> str:
        """A hash of the file's name and bytes."""
        return file_identity(self.path, self.name)

    def close(self) -> None:
        """Nothing is held."""


def _lone_object(name: str, rows: list[dict[str, Any]]) -> Sequence[str]:
    """A note where a file is one object around a list of objects, which may be what was meant."""
    for field, value in rows[0].items():
        if isinstance(value, list) and len(value) > 1 and all(isinstance(inner, dict) for inner in value):
            return (f"{name} is one object, so one item; the {len(value):,} objects in its field {field!r} are none",)
    return ()


class _Part:
    """Some text, where the complete elements in it lie, and the number of its first line."""

    def __init__(self, text: bytes, spans: list[tuple[int, int]], line: int) -> None:
        self.text, self.spans, self.line = text, spans, line

    def rows(self, name: str, places: Sequence[int]) -> list[dict[str, Any]]:
        texts = [self.text[start:end] for start, end in self.spans]
        try:
            return parse_objects(texts, self.text[self.spans[0][0] : self.spans[-1][1]])
        except JsonError as error:
            start = self.spans[error.index][0]
            line = self.line + self.text.count(b"\n", 0, start)
            message = f"element {places[error.index]:,}, which begins here, {error}"
            if not str(error).startswith(("is ", "holds ")):
                message = f"in element {places[error.index]:,}, which begins here, {error}"
            raise SourceError(message, source=name, line=line) from None


class _Elements:
    """Finds the elements of the array, or the top-level objects, in a stream of blocks."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.line = 1
        self.array = False
        self.begun = False
        self.ended = False
        self.count = 0

    def parts(self, blocks: Iterator[bytes]) -> Iterator[_Part]:
        buffer = b""
        for block in blocks:
            buffer += block
            if not self.begun:
                buffer = self._begin(buffer)
            spans, stop = self._scan(buffer)
            if spans:
                yield _Part(buffer, spans, self.line)
            self.line += buffer.count(b"\n", 0, stop)
            buffer = buffer[stop:]
            if len(buffer) > MAX_RECORD:
                raise self._error(
                    f"the element is longer than {MAX_RECORD >> 20} MiB, the limit for one record; "
                    "needed is an array of objects, [{...}, {...}], or one object a line"
                )
        if buffer.strip(_SPACE):
            raise self._error(f"the file ends in the middle of element {self.count + 1:,}; is it cut short?")
        if self.array and not self.ended:
            raise self._error("the array is not closed; is the file cut short?")

    def _error(self, message: str, line: int | None = None) -> SourceError:
        return SourceError(message, source=self.name, line=self.line if line is None else line)

    def _begin(self, buffer: bytes) -> bytes:
        start = len(buffer) - len(buffer.lstrip(_SPACE))
        if start == len(buffer):
            return buffer
        self.begun = True
        if buffer[start : start + 1] == b"[":
            self.array = True
            self.line += buffer.count(b"\n", 0, start)
            return buffer[start + 1 :]
        return buffer

    def _scan(self, buffer: bytes) -> tuple[list[tuple[int, int]], int]:
        """Return where the complete elements lie, and up to where the buffer is done with."""
        spans: list[tuple[int, int]] = []
        depth = start = done = 0
        for match in _BRACKET.finditer(buffer):
            kind = match.lastindex
            if kind == 1:
                if not depth:
                    start = match.end() - 1
                    self._between(buffer, done, start)
                depth += 1
            elif kind == 2:
                depth -= 1
                if depth < 0:
                    break
                if not depth:
                    done = match.end()
                    spans.append((start, done))
                    self.count += 1
            else:
                break
        return spans, done if depth > 0 else self._tail(buffer, done)

    def _between(self, buffer: bytes, stop: int, start: int) -> None:
        """Check what stands between two elements: one comma in an array, white space alone outside."""
        gap = buffer[stop:start].strip(_SPACE)
        needed = b"," if self.array and self.count else b""
        if gap == needed and not self.ended:
            return
        line = self.line + buffer.count(b"\n", 0, start)
        if self.ended:
            raise self._error("something follows the end of the array", line)
        found = gap[:40].decode("utf-8", "replace")
        if self.array:
            wanted = "a comma between elements" if needed else "nothing before the first element"
            raise self._error(f"{found!r} stands where {wanted} is needed; every element must be an object", line)
        raise self._error(f"{found!r} stands between two objects; put them in an array, [{{...}}, {{...}}]", line)

    def _tail(self, buffer: bytes, done: int) -> int:
        """Look at what follows the last complete element, and return up to where it is done with."""
        rest = buffer[done:].strip(_SPACE)
        if self.array and not self.ended and rest.startswith(b"]"):
            self.ended = True
            done = buffer.index(b"]", done) + 1
            rest = buffer[done:].strip(_SPACE)
        line = self.line + buffer.count(b"\n", 0, len(buffer) - len(buffer[done:].lstrip(_SPACE)))
        if self.ended and rest:
            raise self._error("something follows the end of the array", line)
        # A comma may go on in the next block; an object would have been seen.
        if rest not in (b"", b",") or (rest and not self.array):
            found = rest[:40].decode("utf-8", "replace")
            raise self._error(f'{found!r} stands where an object is needed: {{"field": value, ...}}', line)
        return done
