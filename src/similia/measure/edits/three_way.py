"""Three-way alignment: what two revisions and their original share, and what is left when it is cut out."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import NamedTuple, TypeAlias

import numpy as np

from similia.measure.edits.alignment import lcs
from similia.types import Int64

Tokens: TypeAlias = Sequence[Hashable]


class Region(NamedTuple):
    """What stands between two shared tokens in the original, the reference and the prediction; not all empty."""

    origin: tuple[Hashable, ...]
    reference: tuple[Hashable, ...]
    prediction: tuple[Hashable, ...]


def regions(origin: Tokens, reference: Tokens, prediction: Tokens) -> list[Region]:
    """Cut out what all three share and return what is left, in order.

    A token of the original is shared if it is matched in a longest common subsequence with each revision: a common
    subsequence of the three, though not always the longest, at quadratic and not cubic cost. What begins and what ends
    all three is shared first, so that context before or after an edit changes nothing.

    Examples:
        >>> regions("a b c d".split(), "a x c d".split(), "a c d e".split())
        [Region(origin=('b',), reference=('x',), prediction=()), Region(origin=(), reference=(), prediction=('e',))]
    """
    o, a, b = (list(tokens) for tokens in trim(origin, reference, prediction))
    shared, in_a, in_b = _shared(len(o), lcs(o, a), lcs(o, b))
    found, last = [], (0, 0, 0)
    for i, j, k in [*zip(shared, in_a, in_b, strict=True), (len(o), len(a), len(b))]:
        region = Region(tuple(o[last[0] : i]), tuple(a[last[1] : j]), tuple(b[last[2] : k]))
        if any(region):
            found.append(region)
        last = (i + 1, j + 1, k + 1)
    return found


def trim(*sequences: Tokens) -> list[Tokens]:
    """The sequences without what begins all of them and without what ends all of them.

    Examples:
        >>> trim("abcd", "abxd", "abd")
        ['c', 'x', '']
    """
    head = _common(*sequences)
    rest = [tokens[head:] for tokens in sequences]
    tail = _common(*(tokens[::-1] for tokens in rest))  # at most what is left of the shortest
    return [tokens[: len(tokens) - tail] for tokens in rest]


def _shared(length: int, with_a: Int64, with_b: Int64) -> tuple[list[int], list[int], list[int]]:
    """The positions in the original that both alignments match, and where those stand in each revision."""
    partner = np.full((2, length), -1, np.int64)
    partner[0, with_a[:, 0]], partner[1, with_b[:, 0]] = with_a[:, 1], with_b[:, 1]
    both = np.flatnonzero((partner >= 0).all(axis=0))
    return both.tolist(), partner[0, both].tolist(), partner[1, both].tolist()


def _common(*sequences: Tokens) -> int:
    count = 0
    for tokens in zip(*sequences, strict=False):
        if any(token != tokens[0] for token in tokens[1:]):
            break
        count += 1
    return count
