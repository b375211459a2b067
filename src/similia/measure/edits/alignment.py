"""Longest common subsequences: alignment, length, and the edit ratio that follows from it.

Rows of the dynamic programme are bit vectors in Python integers (Hyyrö, Bit-parallel LCS-length computation revisited,
2004), so that n x m tokens cost n x m / 64 word operations. All rows are kept to read the alignment off as long as
they take no more than ``MEMORY``; beyond that the problem is cut in two (Hirschberg, 1975).
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import numpy as np

from similia.types import Int64

MEMORY = 1 << 25
"""Bytes that the rows of one alignment may take (32 MB: 16,000 x 16,000 tokens)."""


def lcs(a: Sequence[Hashable], b: Sequence[Hashable]) -> Int64:
    """Align ``a`` and ``b`` by a longest common subsequence.

    What begins and ends both is aligned first; of several longest ones the same is always chosen (towards the start of
    both), whatever surrounds them.

    Args:
        a: n hashable tokens.
        b: m hashable tokens.

    Returns:
        int64 (length, 2): positions in ``a`` and in ``b``, both rising.

    Examples:
        >>> lcs("abcd", "xbyd").tolist()
        [[1, 1], [3, 3]]
    """
    left, right = _number(a, b)
    pairs: list[tuple[int, int]] = []
    _align(left, 0, right, 0, pairs)
    return np.array(pairs, dtype=np.int64).reshape(-1, 2)


def lcs_length(a: Sequence[Hashable], b: Sequence[Hashable]) -> int:
    """The length of a longest common subsequence.

    Examples:
        >>> lcs_length("abcd", "xbyd")
        2
    """
    left, right = _number(a, b)
    head = _common(left, right)
    tail = _common(left[head:][::-1], right[head:][::-1])
    return head + tail + _length(left[head : len(left) - tail], right[head : len(right) - tail])


def edit_ratio(a: Sequence[Hashable], b: Sequence[Hashable]) -> float:
    """Return 2 * LCS / (n + m), in [0, 1]: 1 less the share of tokens to insert or delete. 1 for two empty ones.

    Examples:
        >>> edit_ratio("abcd", "xbyd")
        0.5
    """
    total = len(a) + len(b)
    return 2.0 * lcs_length(a, b) / total if total else 1.0


def exact(a: Sequence[Hashable], b: Sequence[Hashable]) -> float:
    """Return 1.0 where the two are equal, else 0.0.

    Examples:
        >>> exact(["a"], ["a", "b"])
        0.0
    """
    return float(list(a) == list(b))


def _number(a: Sequence[Hashable], b: Sequence[Hashable]) -> tuple[list[int], list[int]]:
    """Tokens as small numbers, equal where the tokens are."""
    known: dict[Hashable, int] = {}
    return [known.setdefault(token, len(known)) for token in a], [known.setdefault(token, len(known)) for token in b]


def _common(a: Sequence[int], b: Sequence[int]) -> int:
    """How many tokens at the start are the same."""
    count = 0
    for x, y in zip(a, b, strict=False):
        if x != y:
            break
        count += 1
    return count


def _align(a: list[int], from_a: int, b: list[int], from_b: int, pairs: list[tuple[int, int]]) -> None:
    """Append the aligned positions of ``a`` and ``b``, which begin at ``from_a`` and ``from_b`` of the whole."""
    head = _common(a, b)
    pairs.extend((from_a + i, from_b + i) for i in range(head))
    a, b, from_a, from_b = a[head:], b[head:], from_a + head, from_b + head
    tail = _common(a[::-1], b[::-1])
    middle_a, middle_b = a[: len(a) - tail], b[: len(b) - tail]
    if middle_a and middle_b:
        if len(middle_a) == 1 or len(middle_a) * len(middle_b) // 8 <= MEMORY:
            pairs.extend((from_a + i, from_b + j) for i, j in _trace(middle_a, middle_b))
        else:
            half = len(middle_a) // 2
            forward, backward = middle_a[:half], middle_a[half:]
            total = _lengths(forward, middle_b) + _lengths(backward[::-1], middle_b[::-1])[::-1]
            split = int(total.argmax())
            _align(forward, from_a, middle_b[:split], from_b, pairs)
            _align(backward, from_a + half, middle_b[split:], from_b + split, pairs)
    last_a, last_b = from_a + len(middle_a), from_b + len(middle_b)
    pairs.extend((last_a + i, last_b + i) for i in range(tail))


def _masks(b: Sequence[int]) -> dict[int, int]:
    """For each token, the bits of the places of ``b`` where it stands."""
    places: dict[int, list[int]] = {}
    for place, token in enumerate(b):
        places.setdefault(token, []).append(place)
    masks = {}
    for token, where in places.items():
        bits = bytearray(len(b) // 8 + 1)
        for place in where:
            bits[place >> 3] |= 1 << (place & 7)
        masks[token] = int.from_bytes(bits, "little")
    return masks


def _rows(a: Sequence[int], b: Sequence[int], keep: bool) -> list[int]:
    """The bit vectors after each token of ``a``, or the last alone.

    Bit j of row i is 0 where the longest common subsequence of a[:i+1] and b[:j+1] is longer than that with b[:j].
    """
    masks, full = _masks(b), (1 << len(b)) - 1
    row, rows = full, []
    for token in a:
        if mask := masks.get(token):
            matched = row & mask
            row = ((row + matched) | (row - matched)) & full
        if keep:
            rows.append(row)
    return rows if keep else [row]


def _length(a: Sequence[int], b: Sequence[int]) -> int:
    return len(b) - _rows(a, b, keep=False)[0].bit_count() if a and b else 0


def _lengths(a: Sequence[int], b: Sequence[int]) -> Int64:
    """Lengths with each beginning of ``b``: int64 (len(b) + 1,)."""
    row = _rows(a, b, keep=False)[0]
    bits = np.unpackbits(np.frombuffer(row.to_bytes(len(b) // 8 + 1, "little"), np.uint8), bitorder="little")
    return np.concatenate(([0], np.cumsum(1 - bits[: len(b)].astype(np.int64))))


def _trace(a: Sequence[int], b: Sequence[int]) -> list[tuple[int, int]]:
    """Read the alignment off the kept rows, from the end: leave out of ``b`` first, then of ``a``, then match."""
    rows = _rows(a, b, keep=True)
    pairs = []
    i, j = len(a), len(b)
    while i and j:
        if rows[i - 1] >> (j - 1) & 1:
            j -= 1
        elif i > 1 and not rows[i - 2] >> (j - 1) & 1:
            i -= 1
        else:
            i, j = i - 1, j - 1
            pairs.append((i, j))
    return pairs[::-1]
