"""Codes in the order in which the kernels read them.

A block is 16 rows, 4 neighbouring bytes of each row at a time. Rows that are alike share a block, so that what is near
to a query is in few of them; the blocks come in no order, so that a scan has seen something of everything soon.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from similia.types import Bool, Bytes, Float32

ROWS = 16  # of a block
GROUP = 4  # blocks that are read together: their number is a multiple of this
Int32 = npt.NDArray[np.int32]


@dataclass(frozen=True)
class Table:
    """What is scanned.

    Attributes:
        heads, tails: codes uint8 (blocks, 16 * size), sizes multiples of 16; the tails' may be 0.
        base, rest: float32 (blocks * 16,): what is added to the score of a row, -inf where there is none; the length
            of its tail.
        order: int32 (blocks * 16,), which item a row is; 0 where there is none.
    """

    heads: Bytes
    tails: Bytes
    base: Float32
    rest: Float32
    order: Int32

    @property
    def nbytes(self) -> int:
        """The memory that it takes."""
        return sum(part.nbytes for part in (self.heads, self.tails, self.base, self.rest, self.order))

    def hiding(self, passing: Bool) -> Table:
        """The same without the items (n,) that do not pass."""
        base = np.where(passing[self.order], self.base, np.float32(-np.inf))
        return Table(self.heads, self.tails, base, self.rest, self.order)

    def gathered(self, passing: Bool) -> Table:
        """Only the items (n,) that pass, moved together."""
        rows = np.flatnonzero(passing[self.order] & (self.base > -np.inf))
        parts = rows_of(self.heads, rows), rows_of(self.tails, rows)
        return table_of(*parts, self.base[rows], self.rest[rows], np.arange(len(rows)), self.order[rows])


def table_of(
    heads: Bytes,
    tails: Bytes,
    base: Float32,
    rest: Float32,
    order: npt.NDArray[np.integer],
    items: Int32 | None = None,
) -> Table:
    """The table of rows (n, ...) that are put in this order; ``items`` is what each is, by default its position."""
    count = padded(len(order))
    own = np.arange(len(order), dtype=np.int32) if items is None else items
    filled = np.full(count, -np.inf, np.float32), np.zeros(count, np.float32), np.zeros(count, np.int32)
    for out, values in zip(filled, (base, rest, own), strict=True):
        out[: len(order)] = values[order]
    return Table(_packed(heads, order, count), _packed(tails, order, count), *filled)


def aligned(size: int) -> int:
    """The size of codes that kernels take: a multiple of 16."""
    return -(-size // 16) * 16


def padded(rows: int) -> int:
    """Rows that are stored for ``rows`` of them."""
    whole = ROWS * GROUP
    return -(-rows // whole) * whole


def pack(codes: Bytes) -> Bytes:
    """Codes (n, d), n a multiple of 16 and d of 4, as (n / 16, 16 * d): within a block (d / 4, 16, 4).

    Examples:
        >>> pack(np.arange(128, dtype=np.uint8).reshape(16, 8))[0, :8].tolist()
        [0, 1, 2, 3, 8, 9, 10, 11]
    """
    words = np.ascontiguousarray(codes).view(np.uint32).reshape(len(codes) // ROWS, ROWS, -1)
    return np.ascontiguousarray(words.transpose(0, 2, 1)).view(np.uint8).reshape(len(words), -1)


def rows_of(packed: Bytes, rows: npt.NDArray[np.integer]) -> Bytes:
    """The codes (m, d) of some rows, out of their blocks."""
    size = packed.shape[1] // ROWS
    words = packed.view(np.uint32).reshape(len(packed), size // 4, ROWS)
    return np.ascontiguousarray(words[rows // ROWS, :, rows % ROWS]).view(np.uint8).reshape(len(rows), size)


def _packed(codes: Bytes, order: npt.NDArray[np.integer], count: int) -> Bytes:
    """Rows in an order, filled up to ``count`` and packed, some blocks at a time."""
    size, step = codes.shape[1], 256 * ROWS
    packed = _on_lines(count // ROWS, size * ROWS)
    for start in range(0, count if size else 0, step):
        rows = order[start : start + step]
        part = np.zeros((min(step, count - start), size), np.uint8)
        part[: len(rows)] = codes[rows]
        packed[start // ROWS : (start + len(part)) // ROWS] = pack(part)
    return packed


def _on_lines(rows: int, columns: int) -> Bytes:
    """Memory that begins with a cache line, so that no 64 bytes that are read together lie on two."""
    whole = np.empty(rows * columns + 64, np.uint8)
    start = -whole.ctypes.data % 64
    return whole[start : start + rows * columns].reshape(rows, columns)


def neighbours(leading: Float32, seed: int) -> npt.NDArray[np.int64]:
    """An order of rows (n, m) in which 16 after one another are alike, and each 64 lie anywhere.

    Rows are halved by the value that differs most, again and again (a k-d tree: Bentley, CACM 1975).
    """
    order = np.arange(len(leading))
    if not leading.shape[1]:
        return order
    parts = [(0, len(order))]
    while parts:
        start, stop = parts.pop()
        if stop - start <= ROWS:
            continue
        rows = order[start:stop]
        widest = int(leading[rows[:: max(1, len(rows) // 128)]].var(axis=0).argmax())
        middle = -(-len(rows) // 2 // ROWS) * ROWS
        middle = min(max(middle, ROWS), len(rows) - 1)
        order[start:stop] = rows[np.argpartition(leading[rows, widest], middle)]
        parts += [(start, start + middle), (start + middle, stop)]
    whole = len(order) // (ROWS * GROUP) * (ROWS * GROUP)
    groups = np.random.default_rng(seed).permutation(order[:whole].reshape(-1, ROWS * GROUP))
    return np.concatenate([groups.ravel(), order[whole:]])
