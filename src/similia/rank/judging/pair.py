"""A pair model as a judge."""

from __future__ import annotations

import time
from collections.abc import Sequence

import numpy as np

from similia.encode.pairs import PairEncoder
from similia.errors import InputError, ModelError
from similia.rank.judging.base import Float64, Tally, order_by


class PairJudge:
    """Grades by the score of a pair model, and orders by grade.

    Args:
        encoder: of `similia.encode.pairs.load_pair`; the query is its left text.

    Examples:
        >>> import numpy as np
        >>> class Overlap:  # a pair model of a line: the share of the query's words
        ...     name, fingerprint = "overlap", "0" * 64
        ...     def logits(self, left, right):
        ...         return self.score(left, right)[:, None]
        ...     def score(self, left, right):
        ...         sides = [({*a.split()}, {*b.split()}) for a, b in zip(left, right)]
        ...         return np.array([len(a & b) / max(1, len(a)) for a, b in sides], np.float32)
        >>> PairJudge(Overlap()).order("a black cat", ["a dog", "a black cat", "one cat"])
        [1, 0, 2]
    """

    batch = 256

    def __init__(self, encoder: PairEncoder) -> None:
        if not isinstance(encoder, PairEncoder):
            raise InputError(f"{encoder!r} is no pair model; expected what similia.encode.pairs.load_pair returns")
        self.encoder = encoder
        self.tally = Tally()

    @property
    def name(self) -> str:
        return self.encoder.name

    @property
    def fingerprint(self) -> str:
        return self.encoder.fingerprint

    def grade(self, query: str, items: Sequence[str]) -> Float64:
        """See `Judge`."""
        if not items:
            return np.empty(0)
        started = time.perf_counter()
        self.tally.calls += 1
        try:
            grades = self.encoder.score([query] * len(items), items).astype(np.float64)
        except ModelError as error:
            self.tally.failures += len(items)
            self.tally.last_error = str(error)
            grades = np.full(len(items), np.nan)
        self.tally.milliseconds += 1000 * (time.perf_counter() - started)
        return grades

    def order(self, query: str, items: Sequence[str]) -> list[int] | None:
        """See `Judge`."""
        grades = self.grade(query, items)
        return None if grades.size and np.isnan(grades).all() else order_by(grades)
