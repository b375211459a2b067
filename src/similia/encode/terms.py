"""Words and frequent pairs of neighbouring words of texts, counted: what paragraph vectors predict."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from similia.errors import InputError
from similia.types import Bool, Float32, Int64

WORD = re.compile(r"[^\W\d_]{2,}")


@dataclass(frozen=True, eq=False)
class TermCounts:
    """How much of each text each term makes up, as in CSR: a row that is not empty sums to 1.

    Attributes:
        offsets: int64 (n + 1,).
        columns: int64 (counts,).
        values: float32 (counts,).
    """

    offsets: Int64
    columns: Int64
    values: Float32

    def __len__(self) -> int:
        return int(self.offsets.size - 1)

    @property
    def filled(self) -> Bool:
        """Which texts have a term at all (n,)."""
        filled: Bool = np.diff(self.offsets) > 0
        return filled

    def rows(self, chosen: Int64) -> TermCounts:
        """Some of the texts."""
        sizes = np.diff(self.offsets)[chosen]
        ends = np.cumsum(sizes)
        place = np.arange(ends[-1] if ends.size else 0) + np.repeat(self.offsets[chosen] - ends + sizes, sizes)
        return TermCounts(np.concatenate(([0], ends)), self.columns[place], self.values[place])

    @property
    def owner(self) -> Int64:
        """The row of each count (counts,)."""
        return np.repeat(np.arange(len(self), dtype=np.int64), np.diff(self.offsets))


class Terms:
    """Which terms are known: those that are most frequent and stand in neither too few nor too many texts.

    Args:
        texts: to learn from.
        size: the most terms.
        least: in how many texts a term must stand.
        most: the share of the texts in which it may stand at most.
        pairs: whether two neighbouring words are a term too.

    Raises:
        InputError: no term is left.

    Examples:
        >>> terms = Terms(["tax law", "tax law court", "cat"], 10, least=2, most=0.9)
        >>> sorted(terms.columns)
        ['law', 'tax', 'tax law']
        >>> terms.count(["a tax law", "cat"]).filled.tolist()
        [True, False]
    """

    def __init__(
        self, texts: Sequence[str], size: int, *, least: int = 5, most: float = 0.3, pairs: bool = True
    ) -> None:
        self.pairs = pairs
        counts: Counter[str] = Counter()
        texts_with: Counter[str] = Counter()
        for text in texts:
            found = Counter(terms_of(text, pairs=pairs))
            counts.update(found)
            texts_with.update(found.keys())
        limit = most * len(texts)
        fit = [term for term, number in texts_with.items() if least <= number <= limit]
        if not fit:
            raise InputError(
                f"no word stands in at least {least} and at most {most:.0%} of the {len(texts):,} texts; "
                "more texts are needed, or a lower least or higher most"
            )
        known = sorted(fit, key=lambda term: (-counts[term], term))[:size]
        self.columns = {term: column for column, term in enumerate(known)}
        share = np.array([counts[term] for term in known], np.float64)
        share /= share.sum()
        self.share = share.astype(np.float32)

    def __len__(self) -> int:
        return len(self.columns)

    def count(self, texts: Sequence[str]) -> TermCounts:
        """The known terms of texts; a text without any has an empty row."""
        offsets = np.zeros(len(texts) + 1, np.int64)
        columns: list[int] = []
        values: list[float] = []
        for row, text in enumerate(texts):
            found = Counter(self.columns[t] for t in terms_of(text, pairs=self.pairs) if t in self.columns)
            total = found.total()
            columns.extend(found)
            values.extend(number / total for number in found.values())
            offsets[row + 1] = len(columns)
        return TermCounts(offsets, np.array(columns, np.int64), np.array(values, np.float32))


def terms_of(text: str, *, pairs: bool = True) -> list[str]:
    """The words of a text, lower-cased and without numbers, and its pairs of neighbours.

    Examples:
        >>> terms_of("Tax law, 2019")
        ['tax', 'law', 'tax law']
    """
    words = WORD.findall(text.lower())
    return words + [f"{a} {b}" for a, b in pairwise(words)] if pairs else words
