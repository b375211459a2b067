"""One Arrow array: its type and its buffers, wherever they came from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

Buffer: TypeAlias = npt.NDArray[np.uint8]


class ArrowError(ValueError):
    """A value or type that cannot be taken in; ``row`` counts from the start of the array that was decoded."""

    def __init__(self, message: str, row: int | None = None) -> None:
        super().__init__(message)
        self.row = row


@dataclass(frozen=True)
class Field:
    """The type of an array: format string, name, children, and what it is a dictionary of."""

    format: str
    name: str = ""
    children: Sequence[Field] = ()
    dictionary: Field | None = None
    extension: str = ""
    key: int = -1  # which dictionary of the file it points to


@dataclass
class Node:
    """The data of an array: ``length`` values from ``offset`` on in ``buffers`` (None where one is left out)."""

    length: int
    offset: int = 0
    buffers: Sequence[Buffer | None] = ()
    children: Sequence[Node] = field(default_factory=list)
    dictionary: Node | None = None
    decoded: list[Any] | None = None  # a dictionary's values, decoded once for all the slices that point to them

    def part(self, start: int, length: int) -> Node:
        """A view of some of the values."""
        return Node(length, self.offset + start, self.buffers, self.children, self.dictionary)

    def buffer(self, index: int, dtype: Any, count: int, start: int) -> npt.NDArray[Any]:
        """``count`` values of a buffer from value ``start`` on."""
        data = self.buffers[index]
        if data is None or not len(data):
            if not count:
                return np.empty(0, dtype)
            raise ArrowError("a buffer of the array is missing")
        size = np.dtype(dtype).itemsize
        if (start + count) * size > len(data):
            raise ArrowError("a buffer of the array is shorter than its length says")
        return np.frombuffer(data, dtype, count, start * size)

    def valid(self) -> npt.NDArray[np.bool_] | None:
        """Which values are not null, or None for all."""
        bits = self.buffers[0] if self.buffers else None
        if bits is None or not len(bits):
            return None
        first = self.offset // 8
        unpacked = np.unpackbits(bits[first : (self.offset + self.length + 7) // 8], bitorder="little")
        found = unpacked[self.offset - 8 * first :][: self.length].astype(bool)
        if len(found) < self.length:
            raise ArrowError("the validity of the array is shorter than its length says")
        return None if found.all() else found
