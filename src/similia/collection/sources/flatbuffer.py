"""Reading FlatBuffers, the encoding of the messages in Arrow files: tables whose fields are found through offsets."""

from __future__ import annotations

import struct
from typing import Any

from similia.collection.sources.arrow_array import ArrowError


class Table:
    """One table in a buffer; fields are asked for by their number in the schema.

    Format: https://flatbuffers.dev/internals (a table begins with the distance to its vtable, which holds the size of
    both and the place of each field, 0 for one that is left out).
    """

    __slots__ = ("_data", "_places", "_start")

    def __init__(self, data: bytes, start: int) -> None:
        try:
            vtable = start - struct.unpack_from("<i", data, start)[0]
            size = struct.unpack_from("<H", data, vtable)[0]
            self._places = struct.unpack_from(f"<{size // 2 - 2}H", data, vtable + 4)
        except struct.error:
            raise ArrowError("the metadata is damaged") from None
        self._data, self._start = data, start

    @classmethod
    def root(cls, data: bytes) -> Table:
        """The table that a buffer begins with."""
        if len(data) < 8:
            raise ArrowError("the metadata is damaged")
        return cls(data, struct.unpack_from("<I", data)[0])

    def _at(self, field: int) -> int:
        place = self._places[field] if field < len(self._places) else 0
        return self._start + place if place else 0

    def scalar(self, field: int, form: str, default: Any = 0) -> Any:
        """A number, whose struct format is ``form``."""
        at = self._at(field)
        return self._unpack(form, at) if at else default

    def _unpack(self, form: str, at: int) -> Any:
        try:
            return struct.unpack_from("<" + form, self._data, at)[0]
        except struct.error:
            raise ArrowError("the metadata is damaged") from None

    def _target(self, at: int) -> int:
        return at + int(self._unpack("I", at))

    def table(self, field: int) -> Table | None:
        """A table inside."""
        at = self._at(field)
        return Table(self._data, self._target(at)) if at else None

    def text(self, field: int) -> str:
        """A string, empty where left out."""
        at = self._at(field)
        if not at:
            return ""
        start = self._target(at)
        return bytes(self._data[start + 4 : start + 4 + self._unpack("I", start)]).decode("utf-8", "replace")

    def tables(self, field: int) -> list[Table]:
        """A vector of tables."""
        at = self._at(field)
        if not at:
            return []
        start = self._target(at)
        places = range(start + 4, start + 4 + 4 * self._unpack("I", start), 4)
        return [Table(self._data, self._target(place)) for place in places]

    def structs(self, field: int, form: str) -> list[tuple[Any, ...]]:
        """A vector of structs or numbers."""
        at = self._at(field)
        if not at:
            return []
        start = self._target(at)
        size = struct.calcsize("<" + form)
        data = self._data[start + 4 : start + 4 + size * self._unpack("I", start)]
        try:
            return list(struct.iter_unpack("<" + form, data))
        except struct.error:
            raise ArrowError("the metadata is damaged") from None
