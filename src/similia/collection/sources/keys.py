"""Duplicate keys among any number of rows, found exactly and in bounded memory.

Every key leaves a 64-bit hash and its row number; these are sorted in runs on disk and compared range by range. Equal
keys have equal hashes, so no duplicate is missed; that equal hashes come of equal keys is checked on the rows
themselves by the caller.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import IO

import numpy as np
import numpy.typing as npt

from similia.collection.sources.compression import disk_error

RUN = 1 << 17
"""Hashes that are held in memory before they go to disk as one sorted run."""

RANGES = 1024
"""Ranges of hashes whose borders in each run are remembered, so that a few of them can be read at a time."""

GROUP = 64
"""Rows of one hash that are looked at: 64 different keys with one 64-bit hash do not happen."""

_ENTRY = np.dtype([("hash", np.int64), ("row", np.int64)])
_Entries = npt.NDArray[np.void]


class KeyHashes:
    """The hashes of the keys seen so far.

    Examples:
        >>> with KeyHashes() as keys:
        ...     keys.add(["a", "b"]); keys.add(["c", "a"])
        ...     [group.tolist() for group in keys.collisions()]
        [[0, 3]]
    """

    def __init__(self, run: int = RUN, bits: int = 64) -> None:
        """Hold ``run`` hashes in memory; fewer ``bits`` make collisions likely, for tests."""
        self._run, self._mask = run, np.int64(-1) if bits == 64 else np.int64((1 << bits) - 1)
        self._buffer = np.empty(run, _ENTRY)
        self._filled = 0
        self._file: IO[bytes] | None = None
        self._runs: list[tuple[int, npt.NDArray[np.int64]]] = []
        self.rows = 0

    def __enter__(self) -> KeyHashes:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Give up the temporary file."""
        if self._file is not None:
            with suppress(OSError):  # what a full disk did not take is written once more by close
                self._file.close()

    def add(self, keys: Sequence[str]) -> None:
        """Take in the keys of the next rows."""
        hashes = np.fromiter(map(hash, keys), np.int64, len(keys)) & self._mask
        start = 0
        while start < len(hashes):
            size = min(len(hashes) - start, self._run - self._filled)
            part = self._buffer[self._filled : self._filled + size]
            part["hash"] = hashes[start : start + size]
            part["row"] = np.arange(self.rows, self.rows + size)
            self._filled += size
            self.rows += size
            start += size
            if self._filled == self._run:
                self._spill()

    def _spill(self) -> None:
        if self._file is None:
            self._file = tempfile.TemporaryFile(prefix="similia-keys-")  # noqa: SIM115 - closed by close()
        entries = self._sorted_buffer()
        cuts = np.searchsorted(entries["hash"], self._borders())
        self._runs.append((self._file.tell(), np.concatenate(([0], cuts, [len(entries)]))))
        try:
            self._file.write(entries.tobytes())
            self._file.flush()
        except OSError as error:
            raise disk_error(error, "temporary file of keys") from None
        self._filled = 0

    def _borders(self) -> npt.NDArray[np.int64]:
        low, high = (-(2.0**63), 2.0**63) if self._mask == -1 else (0.0, float(self._mask) + 1)
        return np.linspace(low, high, RANGES + 1)[1:-1].astype(np.int64)

    def _sorted_buffer(self) -> _Entries:
        entries = self._buffer[: self._filled]
        return entries[np.argsort(entries["hash"], kind="stable")]

    def collisions(self) -> Iterator[npt.NDArray[np.int64]]:
        """The rows, ascending, of each hash that came more than once, in no particular order of hashes."""
        last = self._sorted_buffer()
        if self._file is None:
            yield from _groups(last)
            return
        cuts = np.concatenate(([0], np.searchsorted(last["hash"], self._borders()), [len(last)]))
        step = max(1, RANGES * 4 * self._run // self.rows)
        for low in range(0, RANGES, step):
            high = min(low + step, RANGES)
            parts = [self._read(offset, run[low], run[high]) for offset, run in self._runs]
            entries = np.concatenate([*parts, last[cuts[low] : cuts[high]]])
            yield from _groups(entries[np.argsort(entries["hash"], kind="stable")])

    def _read(self, offset: int, start: int, stop: int) -> _Entries:
        assert self._file is not None
        self._file.seek(offset + int(start) * _ENTRY.itemsize)
        return np.frombuffer(self._file.read(int(stop - start) * _ENTRY.itemsize), _ENTRY)

    def any_collision(self) -> bool:
        """Whether some hash came more than once. False means that all keys differ."""
        return next(self.collisions(), None) is not None

    def earliest(self, count: int) -> list[list[int]]:
        """Return the ``count`` groups of colliding rows whose second row comes first, by that row."""
        best: list[list[int]] = []
        for rows in self.collisions():
            if len(best) < count or rows[1] < best[-1][1]:
                best = sorted([*best, rows[:GROUP].tolist()], key=lambda group: group[1])[:count]
        return best


def _groups(entries: _Entries) -> Iterator[npt.NDArray[np.int64]]:
    hashes = entries["hash"]
    same = np.flatnonzero(hashes[1:] == hashes[:-1])
    if not same.size:
        return
    breaks = np.flatnonzero(np.diff(same) > 1)
    starts = same[np.concatenate(([0], breaks + 1))]
    stops = same[np.concatenate((breaks, [len(same) - 1]))] + 2
    for start, stop in zip(starts.tolist(), stops.tolist(), strict=True):
        yield entries["row"][start:stop]
