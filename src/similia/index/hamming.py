"""Binary codes, searched by the number of bits that differ."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import numpy.typing as npt

from similia.errors import InputError
from similia.index.inputs import as_ids, as_mask
from similia.index.topk import best_of, candidates, check_k, where_true
from similia.types import Bool, Bytes, Codes, Float32, Hits, Int64, Pairs

Words = npt.NDArray[np.uint64]

_ITEMS = 64 * 1024  # codes that are compared at a time: what stays in the processor's cache
_SCORES = 8 * 2**20  # distances that are held at a time
_PIECE = 16  # bits that choose a bucket
_WORTH = 8  # looking at one code of a bucket costs as much as this many in a row


class HammingIndex:
    """Codes of equal length, compared bit by bit. Scores are minus the number of bits that differ.

    Args:
        codes: uint8 (n, bytes); bits that are no part of a code are to be 0 everywhere.
        ids: int64 (n,), what hits are called, unique and at least 0; by default the positions 0 to n - 1.

    Raises:
        InputError: codes of another type or without bytes, or ids that do not fit.

    Examples:
        >>> index = HammingIndex(np.array([[0b0000], [0b0111], [0b0001]], np.uint8))
        >>> hits = index.search(np.array([[0b0011]], np.uint8), k=3)
        >>> hits.ids.tolist(), hits.scores.tolist()
        ([[1, 2, 0]], [[-1.0, -1.0, -2.0]])
    """

    def __init__(self, codes: Codes | Bytes, ids: npt.ArrayLike | None = None) -> None:
        self.codes = codes if isinstance(codes, Codes) else Codes(codes)
        self.bytes = int(self.codes.codes.shape[1])
        if not self.bytes:
            raise InputError("codes have 0 bytes; at least 1 is needed")
        self.ids = as_ids(ids, len(self.codes))
        self._words = np.ascontiguousarray(self._as_words(self.codes.codes).T)  # one row a word: scans read them whole
        self._buckets: list[Bucket] | None = None

    def __len__(self) -> int:
        return len(self.codes)

    @property
    def bits(self) -> int:
        """The length of a code."""
        return 8 * self.bytes

    def search(self, queries: Codes | Bytes, k: int, *, where: npt.ArrayLike | None = None) -> Hits:
        """The k codes nearest to each query; equally near ones come by lower position.

        Args:
            queries: uint8 (q, bytes).
            k: places a query, at least 1; may exceed n.
            where: bool (n,), the items that take part; all if None.

        Raises:
            InputError: a k below 1, or queries or a filter that do not fit.
        """
        check_k(k)
        asked, rows = self._asked(queries), self._taking(where)
        hits = Hits.empty(len(asked), k)
        step = max(1, _SCORES // max(1, len(self)))
        for start in range(0, len(asked), step):
            scores: Float32 = -self._distances(asked[start : start + step], rows).astype(np.float32)
            at, columns = candidates(scores, k)
            found = columns if rows is None else rows[columns]
            best, values = best_of(at, found, scores[at, columns], len(scores), k)
            hits.ids[start : start + step] = np.where(best >= 0, self.ids[best], -1) if len(self) else -1
            hits.scores[start : start + step] = values
        return hits

    def range(
        self,
        queries: Codes | Bytes,
        radius: int,
        where: npt.ArrayLike | None = None,
        *,
        limit: int = 10_000_000,
    ) -> Pairs:
        """All pairs of a query and an item that differ in at most ``radius`` bits, by query and then nearest first.

        For small radii, only codes that share a piece with the query, or nearly so, are looked at: of p pieces, one
        differs in at most ``radius // p`` bits (Norouzi, Punjani and Fleet, *Fast search in Hamming space with
        multi-index hashing*, CVPR 2012). The buckets for that are made when they are first of use.

        Args:
            queries: uint8 (q, bytes).
            radius: bits that may differ, at least 0.
            where: bool (n,), the items that take part; all if None.
            limit: the most pairs that are returned.

        Returns:
            ``left`` the positions of queries, ``right`` the ids of items, scores minus the distance.

        Raises:
            InputError: a radius below 0, queries or a filter that do not fit, or more than ``limit`` pairs.

        Examples:
            >>> pairs = HammingIndex(np.array([[0], [7], [1]], np.uint8)).range(np.array([[3]], np.uint8), 1)
            >>> pairs.right.tolist(), pairs.scores.tolist()
            ([1, 2], [-1.0, -1.0])
        """
        _check_radius(radius)
        asked, rows = self._asked(queries), self._taking(where)
        taking = None if where is None else np.asarray(where)
        left: list[Int64] = []
        right: list[Int64] = []
        far: list[Int64] = []
        count = 0
        step = max(1, _SCORES // max(1, len(self)))
        near = self._near(asked, int(radius))
        for start in range(0, len(asked), step):
            if near is None:
                distances = self._distances(asked[start : start + step], rows)
                at, columns = where_true(distances <= radius)
                bits = distances[at, columns].astype(np.int64)
                columns = columns if rows is None else rows[columns]
            else:
                at, columns, bits = self._looked_up(asked[start : start + step], near, int(radius), taking)
            count += at.size
            if count > limit:
                raise InputError(f"more than {limit:,} pairs differ in at most {radius} bits; lower the radius")
            order = np.lexsort((columns, bits, at))
            left.append(at[order] + start)
            right.append(self.ids[columns[order]])
            far.append(bits[order])
        if not left:
            return Pairs(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.float32))
        return Pairs(np.concatenate(left), np.concatenate(right), 0 - np.concatenate(far).astype(np.float32))

    def _as_words(self, codes: Bytes) -> Words:
        padded = np.zeros((len(codes), -(-codes.shape[1] // 8) * 8), np.uint8)
        padded[:, : codes.shape[1]] = codes
        return padded.view(np.uint64)

    def _asked(self, queries: Codes | Bytes) -> Bytes:
        asked = (queries if isinstance(queries, Codes) else Codes(queries)).codes
        if asked.shape[1] != self.bytes:
            raise InputError(f"queries have {asked.shape[1]} bytes, but {self.bytes} are needed here")
        return asked

    def _taking(self, where: npt.ArrayLike | None) -> Int64 | None:
        if where is None:
            return None
        return np.flatnonzero(as_mask(where, len(self), "a code")).astype(np.int64)

    def _distances(self, queries: Bytes, rows: Int64 | None) -> npt.NDArray[np.int32]:
        """Bits that differ, (q, n) or (q, len(rows))."""
        asked = self._as_words(queries)
        words = self._words if rows is None else self._words[:, rows]
        out = np.zeros((len(asked), words.shape[1]), np.int32)
        for start in range(0, words.shape[1], _ITEMS):
            block = words[:, start : start + _ITEMS]
            for row, query in enumerate(asked):
                total = out[row, start : start + _ITEMS]
                for word, own in zip(block, query, strict=True):
                    total += bit_count(word ^ own)
        return out

    def _near(self, queries: Bytes, radius: int) -> Int64 | None:
        """What a piece of a query is XORed with to give each bucket to look into; None where scanning is faster."""
        pieces = -(-self.bytes * 8 // _PIECE)
        flips = radius // pieces
        if flips > 2 or not len(self) or not len(queries):
            return None
        masks = [sum(1 << bit for bit in chosen) for f in range(flips + 1) for chosen in combinations(range(_PIECE), f)]
        if len(masks) * pieces * _WORTH >= len(self):
            return None
        if self._buckets is None:
            self._buckets = [Bucket(piece) for piece in _pieces(self.codes.codes).T]
        found = np.array(masks, np.int64)
        sample = _pieces(queries[:: max(1, len(queries) // 64)])
        looked = sum(
            int(bucket.count(piece[:, None] ^ found).sum())
            for bucket, piece in zip(self._buckets, sample.T, strict=True)
        )
        return found if looked * _WORTH < len(self) * len(sample) else None

    def _looked_up(self, queries: Bytes, masks: Int64, radius: int, taking: Bool | None) -> tuple[Int64, Int64, Int64]:
        """Query, position and distance of each code within the radius, each once."""
        assert self._buckets is not None
        asked, pieces = self._as_words(queries), _pieces(queries)
        found: list[tuple[Int64, Int64, Int64]] = []
        for row in range(len(queries)):
            chosen = np.unique(
                np.concatenate([b.members(piece ^ masks) for b, piece in zip(self._buckets, pieces[row], strict=True)])
            )
            if taking is not None:
                chosen = chosen[taking[chosen]]
            bits = bit_count(self._words[:, chosen] ^ asked[row][:, None]).sum(axis=0, dtype=np.int64)
            close = bits <= radius
            found.append((np.full(np.count_nonzero(close), row, np.int64), chosen[close], bits[close]))
        at, columns, distances = (np.concatenate(part) for part in zip(*found, strict=True))
        return at, columns, distances


class Bucket:
    """The positions of all codes by one of their pieces.

    Args:
        piece: (n,) 16 bits each.
    """

    def __init__(self, piece: Int64) -> None:
        self._order = np.argsort(piece.astype(np.uint16), kind="stable").astype(np.int64)
        self._starts = np.concatenate(([0], np.cumsum(np.bincount(piece, minlength=1 << _PIECE))))

    def count(self, keys: Int64) -> Int64:
        """How many codes have each of these pieces."""
        counts: Int64 = self._starts[keys + 1] - self._starts[keys]
        return counts

    def members(self, keys: Int64) -> Int64:
        """The positions of the codes that have one of these pieces (m,)."""
        sizes = self.count(keys)
        ends = np.cumsum(sizes)
        found: Int64 = self._order[np.arange(ends[-1]) + np.repeat(self._starts[keys] - ends + sizes, sizes)]
        return found


def bit_count(words: Words) -> npt.NDArray[np.uint8]:
    """How many bits are set in each."""
    if hasattr(np, "bitwise_count"):  # NumPy 2
        counts: npt.NDArray[np.uint8] = np.bitwise_count(words)
        return counts
    return _counted(words)


def _counted(words: Words) -> npt.NDArray[np.uint8]:
    """The same by halving: sums of neighbouring bits, pairs, fours, and of the eight bytes by one product."""
    two, four, eight = np.uint64(0x5555555555555555), np.uint64(0x3333333333333333), np.uint64(0x0F0F0F0F0F0F0F0F)
    left = words - ((words >> np.uint64(1)) & two)
    left = (left & four) + ((left >> np.uint64(2)) & four)
    left = (left + (left >> np.uint64(4))) & eight
    counts: npt.NDArray[np.uint8] = ((left * np.uint64(0x0101010101010101)) >> np.uint64(56)).astype(np.uint8)
    return counts


def _check_radius(radius: object) -> None:
    if isinstance(radius, bool) or not isinstance(radius, int | np.integer) or radius < 0:
        raise InputError(f"radius is {radius!r}; it must be a whole number of bits, at least 0")


def _pieces(codes: Bytes) -> Int64:
    """Codes in pieces of 16 bits, the last one filled up with zeros: (n, pieces)."""
    padded = np.zeros((len(codes), -(-codes.shape[1] // 2) * 2), np.uint8)
    padded[:, : codes.shape[1]] = codes
    return padded.view(np.uint16).astype(np.int64)
