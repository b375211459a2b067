"""Vectors with two coordinates more, by which an ordinary search by cosine ranks by corrected scores.

An item x of length 1 with the bias b becomes (x, -b, r), where r makes its length the square root of 2, and a query q
becomes (q, 1, 0). Their cosine is (qx - b) / 2: a search costs what one without correction does. The rows are held in
memory, so they are made by processes that search again and again, and where there are not too many.

Source: Bachrach et al., Speeding Up the Xbox Recommender System Using a Euclidean Transformation for Inner-Product
Spaces (RecSys 2014).
"""

from __future__ import annotations

import threading

import numpy as np
import numpy.typing as npt

from similia.collection.searcher import SOON
from similia.collection.upkeep import HELD
from similia.collection.vectors import Part, Vectors, normalised, positions
from similia.types import Float32, Int64

MORE = 2
"""Coordinates that are added."""
SQUARE = 2.0
"""Of the length of every item: biases are means of cosines, so neither they nor the vectors are longer than 1."""


class Lifted:
    """The lifted rows of the vectors of a sense, kept from one state of it to the next while its biases stay.

    Examples:
        >>> items = Vectors(1, 2, (Part(np.array([3, 5]), np.float32([[1, 0], [0.6, 0.8]])),))
        >>> lifted = Lifted().table(items, np.array([3, 5]), np.float32([0.5, 0]))
        >>> hits = lifted.search(raised(np.float32([[1, 0]])), 2)
        >>> hits.ids.tolist(), (2 * hits.scores).round(4).tolist()
        ([[5, 3]], [[0.6000000238418579, 0.5]])
    """

    def __init__(self) -> None:
        self._asked, self._lock = 0, threading.Lock()
        self._parts: list[tuple[Part, Part]] = []

    def due(self, vectors: Vectors, queries: int) -> bool:
        """Count searches, and say whether to search lifted rows by now.

        Not with an index: its graph is walked deeper instead, which takes less time than to scan all rows.
        """
        self._asked += queries
        size = sum(part.ids.size for part in vectors.parts) * (vectors.dimension + MORE)
        indexed = vectors.parts[0].index.engine.costs is not None
        return self._asked > SOON and 4 * size <= HELD and not indexed

    def table(self, vectors: Vectors, ids: Int64, biases: Float32) -> Vectors:
        """The lifted rows; made for parts that are new alone.

        Args:
            vectors: a state of the sense.
            ids: int64 (n,) ascending, of all its items.
            biases: float32 (n,), what to subtract from the scores of each.
        """
        with self._lock:
            self._parts = [(part, self._part(part, ids, biases)) for part in vectors.parts]
            return Vectors(vectors.version, vectors.dimension + MORE, tuple(part for _, part in self._parts))

    def _part(self, part: Part, ids: Int64, biases: Float32) -> Part:
        for known, lifted in self._parts:
            if known is part:
                return lifted
            if known.vectors is part.vectors and known.ids is part.ids:  # more of its rows are dead
                made = Part(lifted.ids, lifted.vectors, part.alive)
                made.__dict__["index"] = lifted.index
                return made
        places = positions(ids, part.ids)
        return Part(part.ids, _rows(part.vectors, np.where(places >= 0, biases[places], 0)), part.alive)


def raised(queries: Float32) -> Float32:
    """Queries (q, d) as (q, d + 2)."""
    return np.concatenate((normalised(queries), np.tile(np.array([1, 0], np.float32), (len(queries), 1))), axis=1)


def scale() -> float:
    """What the cosine of a raised query and a lifted item is multiplied with to be the corrected score."""
    return float(np.sqrt(2 * SQUARE))


def _rows(vectors: npt.NDArray[np.float32], biases: Float32) -> Float32:
    found = np.empty((len(vectors), vectors.shape[1] + MORE), np.float32)
    step = 16_384
    for start in range(0, len(vectors), step):
        some = slice(start, start + step)
        units, bias = normalised(vectors[some]), biases[some].astype(np.float64)
        rest = SQUARE - np.einsum("nd,nd->n", units, units, dtype=np.float64) - bias**2
        found[some, :-MORE] = units
        found[some, -2], found[some, -1] = -bias, np.sqrt(np.maximum(rest, 0))
    return found
