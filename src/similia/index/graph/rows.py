"""The vectors of an index: those given, which may be a memory map, and those that came later."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from similia.index.exact import Float64
from similia.measure.vectors import norms
from similia.types import Float32, Int64


class Rows:
    """Vectors by position: ``given`` float32 or float16 (n, d), and after them what `append` adds."""

    def __init__(self, given: npt.NDArray[np.float32 | np.float16], lengths: Float64 | None = None) -> None:
        self.given = np.asarray(given)
        self.added: Float32 = np.empty((0, given.shape[1]), np.float32)
        self.count = len(given)
        self.norms = norms(self.given) if lengths is None else lengths

    def append(self, vectors: Float32) -> None:
        """Add vectors (m, d) at the end."""
        before, self.count = self.count - len(self.given), self.count + len(vectors)
        self.added = grown(self.added, before, self.count - len(self.given))
        self.added[before : before + len(vectors)] = vectors
        self.norms = np.concatenate((self.norms, norms(vectors)))

    def take(self, positions: Int64) -> Float32:
        """The vectors at these positions, float32 (m, d)."""
        taken = np.empty((len(positions), self.given.shape[1]), np.float32)
        early = positions < len(self.given)
        taken[early] = self.given[positions[early]]
        taken[~early] = self.added[positions[~early] - len(self.given)]
        return taken

    @property
    def in_place(self) -> bool:
        """Whether kernels can read the vectors where they lie."""
        return self.given.dtype == np.float32


def grown(array: Float32, filled: int, needed: int) -> Float32:
    """The array, or where it is too short a longer one with its first ``filled`` rows; the rest is not set."""
    if len(array) >= needed:
        return array
    longer = np.empty((max(needed, len(array) * 3 // 2), *array.shape[1:]), array.dtype)
    longer[:filled] = array[:filled]
    return longer
