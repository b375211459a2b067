"""Fixed dimensional encodings: one vector for a set of vectors, whose inner products estimate Chamfer similarity.

Space is cut into buckets by random hyperplanes, several times. In each bucket, a query holds the sum of its vectors
and an item the mean of its own, so that their inner product compares each query vector with what the item has near it.

Source: Dhulipala, Hadian, Jayaram, Lee and Mirrokni, *MUVERA: Multi-Vector Retrieval via Fixed Dimensional Encodings*
(NeurIPS 2024, arXiv 2405.19504).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from similia.errors import InputError
from similia.types import Float32, Int64, MultiVector, as_vectors

_MOST_BITS = 30
_VALUES = 4 * 2**20  # values that are held at a time
_FAR = 2**20  # more than any number of bits that may differ


class FixedDimensionalEncoder:
    """Sets of vectors to single vectors of ``length`` values; needs no training, and items can be added at any time.

    Queries and items must come from one encoder: with another seed, scores are random. Scores are an estimate that is
    low in the mean, good for ordering candidates and not for thresholds.

    Args:
        dimension: d, of the vectors in the sets.
        repetitions: how often space is cut anew; the estimate is their mean.
        bits: hyperplanes in each, so that there are 2**bits buckets; 0 to 30.
        inner: what vectors are shortened to in each, by random signs; None, or d or more, leaves them as they are.
        fill: whether a bucket in which an item has nothing takes its vector of the nearest bucket. The authors do so,
            and their bounds need it, but at equal length it finds less for token vectors of the bundled encoder and for
            static word vectors (system 24 of the atlas).
        final: a shorter length that the whole is folded to, with random signs; None leaves it.
        centre: float32 (d,), subtracted before buckets are chosen and nowhere else: the mean of the vectors, if they
            point the same way and would fall into few buckets.
        seed: all random choices come from it.

    Raises:
        InputError: a number out of its range.

    Examples:
        >>> from similia.types import ragged
        >>> encoder = FixedDimensionalEncoder(4, repetitions=3, bits=2, inner=2)
        >>> items = encoder.encode_items(ragged([np.eye(4), []], 4))
        >>> items.shape, float(np.abs(items[1]).sum())
        ((2, 24), 0.0)
    """

    def __init__(
        self,
        dimension: int,
        *,
        repetitions: int = 20,
        bits: int = 4,
        inner: int | None = 16,
        fill: bool = False,
        final: int | None = None,
        centre: npt.ArrayLike | None = None,
        seed: int = 0,
    ) -> None:
        for name, value, low, high in (
            ("dimension", dimension, 1, 2**20),
            ("repetitions", repetitions, 1, 2**20),
            ("bits", bits, 0, _MOST_BITS),
            ("inner", dimension if inner is None else inner, 1, 2**20),
            ("final", 1 if final is None else final, 1, 2**30),
        ):
            _check(name, value, low, high)
        self.dimension, self.repetitions, self.bits = int(dimension), int(repetitions), int(bits)
        self.inner = self.dimension if inner is None or inner >= dimension else int(inner)
        self.fill, self.final, self.seed = bool(fill), None if final is None else int(final), int(seed)
        if self.unfolded > 2**28:
            raise InputError(f"encodings would hold {self.unfolded:,} values; take fewer bits or repetitions")
        self.centre = None
        if centre is not None:
            self.centre = as_vectors(centre, name="centre", dimension=self.dimension)[0]
        random = np.random.default_rng(self.seed)
        self._planes = random.normal(size=(self.dimension, self.repetitions, self.bits)).astype(np.float32)
        self._signs: Float32 | None = None
        if self.inner < self.dimension:
            signs = random.choice(np.array([-1, 1], np.float32), (self.dimension, self.repetitions, self.inner))
            self._signs = (signs / np.sqrt(self.inner)).astype(np.float32)
        if self.final is not None:
            self._slots = random.integers(0, self.final, self.unfolded)
            self._slot_signs = random.choice(np.array([-1, 1], np.float32), self.unfolded)

    @property
    def buckets(self) -> int:
        """How many parts space has in one repetition."""
        return 1 << self.bits

    @property
    def unfolded(self) -> int:
        """The length of an encoding before it is folded."""
        return self.repetitions * self.buckets * self.inner

    @property
    def length(self) -> int:
        """The length of an encoding."""
        return self.unfolded if self.final is None else self.final

    @property
    def fingerprint(self) -> str:
        """SHA-256 over all that decides the encodings: keep it beside them, and never mix two."""
        parts = [self.dimension, self.repetitions, self.bits, self.inner, self.fill, self.final, self.seed]
        centre = "" if self.centre is None else hashlib.sha256(self.centre.tobytes()).hexdigest()
        return hashlib.sha256(json.dumps(["fde", *parts, centre]).encode()).hexdigest()

    def encode_items(self, items: MultiVector) -> Float32:
        """Means by bucket: float32 (n, length), zeros for an item without vectors.

        Raises:
            InputError: another dimension.
        """
        return self._encode(items, query=False)

    def encode_queries(self, queries: MultiVector) -> Float32:
        """Sums by bucket, divided by the number of repetitions: float32 (q, length).

        So the inner product with an encoded item estimates `similia.measure.multivectors.chamfer` itself.

        Raises:
            InputError: another dimension.
        """
        encoded = self._encode(queries, query=True)
        encoded /= self.repetitions
        return encoded

    def _encode(self, sets: MultiVector, *, query: bool) -> Float32:
        if sets.vectors.shape[1] != self.dimension:
            raise InputError(f"vectors have {sets.vectors.shape[1]} dimensions, but {self.dimension} are needed here")
        out = np.empty((len(sets), self.length), np.float32)
        for start, stop in self._blocks(sets):
            low, high = sets.offsets[start], sets.offsets[stop]
            part = MultiVector(sets.vectors[low:high], sets.offsets[start : stop + 1] - low)
            whole = np.zeros((stop - start, self.repetitions, self.buckets, self.inner), np.float32)
            if len(part.vectors):
                codes, inner = self._codes(part.vectors), self._inner(part.vectors)
                for repetition in range(self.repetitions):
                    self._place(whole[:, repetition], part, codes[:, repetition], inner[:, repetition], query=query)
            out[start:stop] = self._folded(whole.reshape(stop - start, -1))
        return out

    def _blocks(self, sets: MultiVector) -> Iterator[tuple[int, int]]:
        """Runs of sets for which neither vectors nor encodings are too many at a time."""
        start = 0
        most_sets, most_vectors = (
            max(1, _VALUES // self.unfolded),
            max(1, _VALUES // (self.dimension + self.repetitions * (self.bits + self.inner))),
        )
        while start < len(sets):
            stop = int(np.searchsorted(sets.offsets, sets.offsets[start] + most_vectors, side="right")) - 1
            stop = min(max(stop, start + 1), start + most_sets, len(sets))
            yield start, stop
            start = stop

    def _codes(self, vectors: Float32) -> Int64:
        """The bucket of each vector in each repetition: (t, repetitions)."""
        centred = vectors if self.centre is None else vectors - self.centre
        sides = centred @ self._planes.reshape(self.dimension, -1)
        above: Int64 = (sides > 0).reshape(len(vectors), self.repetitions, self.bits) @ (1 << np.arange(self.bits))
        return above

    def _inner(self, vectors: Float32) -> Float32:
        """Each vector as it is placed in each repetition: (t, repetitions, inner)."""
        if self._signs is None:
            return np.broadcast_to(vectors[:, None], (len(vectors), self.repetitions, self.inner))
        shortened: Float32 = vectors @ self._signs.reshape(self.dimension, -1)
        return shortened.reshape(len(vectors), self.repetitions, self.inner)

    def _place(self, out: Float32, sets: MultiVector, codes: Int64, inner: Float32, *, query: bool) -> None:
        """Fill one repetition, (n, buckets, inner), which holds zeros."""
        groups = _grouped(sets, codes, self.buckets)
        sums = np.add.reduceat(inner[groups.order], groups.starts, axis=0)
        if not query:
            sums /= groups.sizes[:, None].astype(np.float32)
        out[groups.items, groups.codes] = sums
        if self.fill and not query:
            self._fill(out, groups, inner)

    def _fill(self, out: Float32, groups: Groups, inner: Float32) -> None:
        """Give empty buckets the first vector, in the order of the set, of those whose bits differ least."""
        places = np.arange(self.buckets)
        edges = np.flatnonzero(np.diff(groups.items, prepend=-1))  # where the groups of each item begin
        step = max(1, _VALUES // self.buckets)
        begin = 0
        while begin < len(edges):
            end = int(np.searchsorted(edges, edges[begin] + step, side="right"))
            end = max(end, begin + 1)
            stop = int(edges[end]) if end < len(edges) else len(groups.items)
            at = slice(int(edges[begin]), stop)
            differ = _bit_count(groups.codes[at, None] ^ places)
            # Fewest bits first, then the first vector: both in one number.
            key = differ.astype(np.int64) * (_FAR * _FAR) + groups.first[at, None]
            nearest = np.minimum.reduceat(key, edges[begin:end] - edges[begin], axis=0) % (_FAR * _FAR)
            owners = groups.items[edges[begin:end]]
            empty = np.ones((len(owners), self.buckets), bool)
            empty[np.searchsorted(owners, groups.items[at]), groups.codes[at]] = False
            row, bucket = np.nonzero(empty)
            out[owners[row], bucket] = inner[nearest[row, bucket]]
            begin = end

    def _folded(self, whole: Float32) -> Float32:
        if self.final is None:
            return whole
        order = np.argsort(self._slots, kind="stable")
        used, starts = np.unique(self._slots[order], return_index=True)
        out = np.zeros((len(whole), self.final), np.float32)
        out[:, used] = np.add.reduceat(whole[:, order] * self._slot_signs[order], starts, axis=1)
        return out


class Groups(NamedTuple):
    """The vectors of each item that fell into one bucket: g groups, by item and then by bucket.

    Attributes:
        order: (t,) the vectors, group by group, each group in the order of its set.
        starts: (g,) where in ``order`` a group begins.
        sizes: (g,) how many vectors it has.
        items: (g,) the position of its item.
        codes: (g,) its bucket.
        first: (g,) its first vector.
    """

    order: Int64
    starts: Int64
    sizes: Int64
    items: Int64
    codes: Int64
    first: Int64


def _grouped(sets: MultiVector, codes: Int64, buckets: int) -> Groups:
    owner = np.repeat(np.arange(len(sets)), np.diff(sets.offsets))
    key = owner * buckets + codes
    order = np.argsort(key, kind="stable")
    ordered = key[order]
    starts = np.flatnonzero(np.diff(ordered, prepend=-1))
    sizes = np.diff(starts, append=len(ordered))
    return Groups(order, starts, sizes, ordered[starts] // buckets, ordered[starts] % buckets, order[starts])


def _check(name: str, value: object, low: int, high: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or not low <= value <= high:
        raise InputError(f"{name} is {value!r}; it must be a whole number from {low} to {high:,}")


def _bit_count(values: Int64) -> Int64:
    """How many bits are set in each, of those below 2**30."""
    counts: Int64 = np.zeros(values.shape, np.int64)
    for bit in range(_MOST_BITS):
        if not (values >> bit).any():
            break
        counts += (values >> bit) & 1
    return counts
