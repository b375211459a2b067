"""Measures on n-grams: F1, BLEU and SARI, for two or three token sequences."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Hashable, Iterable
from typing import TypeAlias

from similia.errors import InputError
from similia.measure.edits.three_way import Tokens

Gram: TypeAlias = tuple[Hashable, ...]


def ngrams(tokens: Tokens, n: int) -> Counter[Gram]:
    """Count the runs of n tokens.

    Examples:
        >>> ngrams("aab", 2)
        Counter({('a', 'a'): 1, ('a', 'b'): 1})
    """
    return Counter(zip(*(tokens[start:] for start in range(n)), strict=False))


def ngram_f1(a: Tokens, b: Tokens, n: int = 2) -> float:
    """Return 2 |A & B| / (|A| + |B|) on n-gram multisets, averaged over lengths 1..n that either has. 1 if equal.

    Examples:
        >>> ngram_f1("ab", "ac")   # 1-grams: 2 * 1 / 4; 2-grams: 0
        0.25
    """
    if list(a) == list(b):
        return 1.0
    return mean_overlap([([ngrams(a, size)], [ngrams(b, size)]) for size in range(1, n + 1)])


def mean_overlap(levels: Iterable[tuple[list[Counter[Gram]], list[Counter[Gram]]]]) -> float:
    """The mean over levels of 2 * sum |x & y| / sum (|x| + |y|), without levels where nothing stands; 0 if none do."""
    scores = []
    for left, right in levels:
        size = sum(x.total() + y.total() for x, y in zip(left, right, strict=True))
        if size:
            scores.append(2.0 * sum((x & y).total() for x, y in zip(left, right, strict=True)) / size)
    return sum(scores) / len(scores) if scores else 0.0


def bleu(reference: Tokens, prediction: Tokens, n: int = 4) -> float:
    """Return sentence BLEU: the geometric mean of the clipped precisions of 1..n-grams, with a brevity penalty.

    Precisions of 2-grams and longer ones are smoothed by adding one to both counts. (Papineni et al., ACL 2002; Lin and
    Och, COLING 2004.) Two empty sequences score 1, one empty one 0.

    Examples:
        >>> round(bleu("the cat sat".split(), "the cat ran".split()), 4)   # (2/3 * 2/3 * 1/2 * 1)^(1/4)
        0.6866
    """
    if not prediction or not reference:
        return float(len(prediction) == len(reference))
    logs = 0.0
    for size in range(1, n + 1):
        given, wanted = ngrams(prediction, size), ngrams(reference, size)
        right, total = (given & wanted).total(), given.total()
        if size > 1:
            right, total = right + 1, total + 1
        if right == 0:
            return 0.0
        logs += math.log(right / total) / n
    return math.exp(logs + min(0.0, 1.0 - len(reference) / len(prediction)))


def sari(origin: Tokens, reference: Tokens, prediction: Tokens, n: int = 4, *, empty: float = 0.0) -> float:
    """Return SARI for one reference: the mean of F1 of what is kept, F1 of what is added, precision of what is deleted.

    On the sets of 1..n-grams. (Xu et al., TACL 2016.)

    Args:
        origin: the tokens before the edit.
        reference: the tokens of the right revision.
        prediction: the tokens of the revision to judge.
        n: the longest n-grams.
        empty: what 0/0 counts as. 0 in the authors' own code: texts of fewer than n tokens, and edits that only insert
            or only delete, then do not reach 1. 1 in other implementations: doing nothing then scores high.

    Raises:
        InputError: n below 1.

    Examples:
        >>> sari("abc", "abd", "abd", n=2), round(sari("abc", "abd", "abc", n=2), 4)
        (1.0, 0.2444)
    """
    if n < 1:
        raise InputError(f"n is {n}; n-grams have a length of at least 1")

    def share(part: set[Gram], whole: set[Gram]) -> float:
        return len(part) / len(whole) if whole else empty

    def f1(given: set[Gram], wanted: set[Gram]) -> float:
        precision, recall = share(given & wanted, given), share(given & wanted, wanted)
        return 2 * precision * recall / (precision + recall) if precision + recall else 0.0

    total = 0.0
    for size in range(1, n + 1):
        o, a, b = (set(ngrams(tokens, size)) for tokens in (origin, reference, prediction))
        total += f1(o & b, o & a) + f1(b - o, a - o) + share((o - b) & (o - a), o - b)
    return total / (3 * n)
