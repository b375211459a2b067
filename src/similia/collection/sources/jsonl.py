"""JSON Lines: one object a line."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from similia.collection.sources.chunk import MAX_RECORD, Chunk
from similia.collection.sources.compression import file_identity, open_bytes
from similia.collection.sources.encoding import utf8_blocks
from similia.collection.sources.jsontext import JsonError, parse_objects
from similia.errors import SourceError


class JsonLines:
    """A file with one JSON object a line; empty lines are passed over.

    Exact: integers of any size, NaN and Infinity (not JSON, but commonly written), missing keys stay missing. Refused
    with their line: a key that stands twice in one object, halves of surrogate pairs, numbers beyond a 64-bit float.
    """

    declared: Mapping[str, str] = {}
    notes: Sequence[str] = ()

    def __init__(self, path: Path, name: str, *, encoding: str | None = None) -> None:
        self.path, self.name, self._encoding = path, name, encoding

    def read(self, skip: int = 0) -> Iterator[Chunk]:
        """The rows from number ``skip`` on, about a megabyte of text at a time."""
        with open_bytes(self.path, self.name) as stream:
            line = 1
            for block in _whole_lines(utf8_blocks(stream, self.name, self._encoding), self.name):
                texts = block.split(b"\n")
                if not texts[-1]:
                    texts.pop()
                places: Sequence[int] = range(line, line + len(texts))
                line += len(texts)
                if not all(map(bytes.strip, texts)):
                    kept = [(text, place) for text, place in zip(texts, places, strict=True) if text.strip()]
                    texts, places = [text for text, _ in kept], [place for _, place in kept]
                dropped = min(skip, len(texts))
                skip -= dropped
                if dropped < len(texts):
                    yield Chunk(self._parse(texts[dropped:], block, places[dropped:]), self.name, places[dropped:])

    def _parse(self, texts: list[bytes], block: bytes, places: Sequence[int]) -> list[dict[str, Any]]:
        try:
            return parse_objects(texts, block)
        except JsonError as error:
            place = places[error.index]
            message = f"the line {error}" if str(error).startswith(("is ", "holds ")) else str(error)
            if place == 1 and texts[error.index].strip() in (b"{", b"[", b"[{"):
                message += "; a file with one array, or with objects over several lines, is read with --format json"
            raise SourceError(message, source=self.name, line=place) from None

    def identity(self) -> str:
        """A hash of the file's name and bytes."""
        return file_identity(self.path, self.name)

    def close(self) -> None:
        """Nothing is held."""


def _whole_lines(blocks: Iterator[bytes], name: str) -> Iterator[bytes]:
    """Cut a stream into pieces that end where a line ends."""
    rest: list[bytes] = []
    line, waiting = 1, 0
    for block in blocks:
        cut = block.rfind(b"\n") + 1
        if not cut:
            rest.append(block)
            waiting += len(block)
            if waiting > MAX_RECORD:
                limit = f"{MAX_RECORD >> 20} MiB, the limit for one record; is it JSON Lines?"
                raise SourceError(f"the line is longer than {limit}", source=name, line=line)
            continue
        piece = b"".join([*rest, block[:cut]])
        line += piece.count(b"\n")
        yield piece
        rest, waiting = [block[cut:]], len(block) - cut
    if last := b"".join(rest):
        yield last
