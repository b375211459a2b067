"""Probabilities of relevance without any judgment.

Two questions are kept apart, since only the first can be answered well without judgments.

**Is there anything?** Let M be the best score of a list, the largest of n. If the query is about something else than
the collection, M follows a Gumbel distribution F0 with location u and scale b, as the largest of many scores with an
exponential tail does; u and b are fitted to the best scores of *queries about something else* (by quartiles, so that a
quarter of them may not be so strange after all). For n' items instead of n, u moves by b ln(n' / n): a hit at rank 1 is
thus compared with the best of as many null scores. If the query is about the collection, M follows a normal F1, fitted
likewise to *the collection's own queries*: a log of them, or word salads of its texts. With pi0 the share of queries
about something else,

    presence(m) = 1 - lfdr(m),    lfdr(m) = pi0 f0(m) / (pi0 f0(m) + (1 - pi0) f1(m)),

Efron's local false discovery rate of the two-groups model, made rising by isotonic regression over m (a normal tail may
outlive the Gumbel's on the far side).

**Which of the hits?** How strictly a collection's judges judge is not in its scores: of the ten best hits in six test
collections, 9 % to 39 % are relevant. The probability of a hit is therefore that of a curve borrowed from these
judged collections, over units of the list's own tail (`similia.rank.calibration.tail`), times the presence. Each
collection counted the same, and the curve says at most .37. On a collection that it was not made from its calibration
error is .05 to .34 over ten hits and .02 to .11 over a hundred. Judge some hits and fit a `Calibrator` for better.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from similia.errors import FingerprintMismatch, InputError
from similia.rank.calibration.inputs import Float64, as_scores, sigmoid
from similia.rank.calibration.isotonic import IsotonicCurve
from similia.rank.calibration.tail import tail_units
from similia.types import Float32

FORMAT = 1
"""Version of the stored form."""
FEWEST = 10
"""Queries of each kind that a fit needs."""
GRID = 512
LEAST = 1e-6
UNITS = (-5.0, -4.0, -3.0, -2.0, -1.5, -1.0, 0.0, 2.0)
BORROWED = (0.0, 0.056, 0.124, 0.22, 0.276, 0.344, 0.353, 0.368)
"""Probability at ``UNITS``, by isotonic regression on Cranfield, CACM, CISI, NPL, NFCorpus and MedQuAD with MiniLM."""


class UnlabelledCalibrator:
    """Presence of anything relevant, and probabilities of hits, from scores alone; see the module for the mathematics.

    It tells queries about something else from one's own. It does not tell a query within the field whose only answers
    are missing: those next to them score nearly as high.

    Args:
        absent: the share of queries about something else, between 0 and 1.
        encoder: fingerprint of the encoder that made the scores; `check` compares it.

    Attributes:
        separation_: how often an own query's best score is above that of a strange one (area under the ROC curve);
            near .5 the presence says nothing, which is so where a collection is about everything.

    Source:
        Efron, Size, Power and False Discovery Rates (Annals of Statistics, 2007); Efron, Tibshirani, Storey and Tusher,
        Empirical Bayes Analysis of a Microarray Experiment (JASA 2001); Coles, An Introduction to Statistical Modeling
        of Extreme Values (2001).

    Examples:
        >>> random = np.random.default_rng(0)
        >>> strange = random.gumbel(0.2, 0.04, (100, 1))
        >>> own = random.normal(0.6, 0.08, (200, 1))
        >>> calibrator = UnlabelledCalibrator().fit(strange, own, items=1000)
        >>> calibrator.presence([[0.7], [0.2]]).round(2).tolist()
        [1.0, 0.0]
    """

    def __init__(self, *, absent: float = 0.5, encoder: str = "") -> None:
        if not 0 < absent < 1:
            raise InputError(f"absent is {absent!r}; it is a share of the queries, between 0 and 1")
        self.absent = absent
        self.encoder = encoder
        self.items_ = 0
        self.separation_ = float("nan")
        self._strange = (0.0, 1.0)
        self._own = (0.0, 1.0)

    def fit(self, strange: npt.ArrayLike, own: npt.ArrayLike, *, items: int) -> UnlabelledCalibrator:
        """Learn what the best scores of strange queries and of own ones are.

        Args:
            strange: (m, k) scores of queries about something else, such as `EVERYDAY`; -inf at empty places.
            own: (q, k) scores of queries about the collection: a log, or `word_salads` of its texts.
            items: how many the collection holds, at least 1.

        Returns:
            The calibrator itself.

        Raises:
            InputError: fewer than 10 queries of either kind that found anything, NaN, or no items.
        """
        if items < 1:
            raise InputError(f"items is {items}; a collection that was searched holds at least 1")
        null, best = _best(strange, "strange"), _best(own, "own")
        for name, known in (("strange", null), ("own", best)):
            if known.size < FEWEST:
                raise InputError(f"{name}: {known.size} queries found anything; at least {FEWEST} are needed")
        low, middle, high = np.quantile(null, [0.25, 0.5, 0.75])
        scale = max(float(high - low) / float(np.log(np.log(4)) - np.log(np.log(4 / 3))), LEAST)
        self._strange = (float(middle) + scale * float(np.log(np.log(2))), scale)
        low, middle, high = np.quantile(best, [0.25, 0.5, 0.75])
        self._own = (float(middle), max(float(high - low) / 1.349, LEAST))
        above = best[:, None] - null
        self.separation_ = float((above > 0).mean() + (above == 0).mean() / 2)
        self.items_ = items
        return self

    def presence(self, scores: npt.ArrayLike, *, items: int | None = None) -> Float64:
        """Return how probable it is that a list is about its query at all: float64 (q,), 0 where it is empty.

        An answer is best left out where this is below .5.

        Args:
            scores: (q, k), -inf at empty places.
            items: how many items were searched, where that is no longer the number fitted with.

        Raises:
            InputError: not fitted, NaN among scores, or no items.
        """
        if not self.items_:
            raise InputError("the calibrator is not fitted; call fit with scores of strange and of own queries first")
        if items is not None and items < 1:
            raise InputError(f"items is {items}; a collection that was searched holds at least 1")
        values = as_scores(scores)
        best = values.max(axis=1, initial=-np.inf)
        found = best > -np.inf
        answer = np.zeros(len(values))
        answer[found] = self._curve(self.items_ if items is None else items).probability(best[found])
        return answer

    def transform(self, scores: npt.ArrayLike, *, items: int | None = None) -> Float32:
        """Return the probability of each hit: float32 (q, k), 0 where the score is -inf. Best with 50 hits or more.

        The arguments and errors are those of `presence`.
        """
        presence = self.presence(scores, items=items)
        units = tail_units(scores)
        each = np.where(units > -np.inf, np.interp(units, UNITS, BORROWED), 0.0)
        return np.asarray(presence[:, None] * each, dtype=np.float32)

    def check(self, fingerprint: str) -> None:
        """Refuse scores of another encoder than that of the calibrator; one that names none takes all.

        Raises:
            FingerprintMismatch: the two differ.
        """
        if self.encoder and fingerprint != self.encoder:
            raise FingerprintMismatch(
                f"the calibrator was fitted to scores of encoder {self.encoder[:12]} and these are of "
                f"{fingerprint[:12]}; fit it again"
            )

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return {
            "format": FORMAT,
            "encoder": self.encoder,
            "absent": self.absent,
            "items": self.items_,
            "separation": self.separation_ if self.items_ else None,
            "strange": list(self._strange),
            "own": list(self._own),
        }

    @classmethod
    def from_dict(cls, stored: dict[str, Any]) -> UnlabelledCalibrator:
        """Read what `to_dict` wrote.

        Raises:
            InputError: it is something else, or of another version.
        """
        try:
            if stored["format"] != FORMAT:
                raise InputError(f"the calibrator is of format {stored['format']}; this version reads format {FORMAT}")
            made = cls(absent=float(stored["absent"]), encoder=str(stored["encoder"]))
            made.items_ = int(stored["items"])
            made.separation_ = float(stored["separation"]) if made.items_ else float("nan")
            made._strange = (float(stored["strange"][0]), float(stored["strange"][1]))
            made._own = (float(stored["own"][0]), float(stored["own"][1]))
        except InputError:
            raise
        except (KeyError, IndexError, TypeError, ValueError) as error:
            raise InputError(f"this is no stored calibrator ({type(error).__name__}: {error})") from None
        return made

    def _curve(self, items: int) -> IsotonicCurve:
        """Presence by best score: the local false discovery rate on a grid, weighted by density, made rising."""
        location, scale = self._strange
        location += scale * float(np.log(items / self.items_))
        mean, deviation = self._own
        low = min(location - 4 * scale, mean - 6 * deviation)
        high = max(location + 20 * scale, mean + 6 * deviation)
        grid = np.linspace(low, high, GRID)
        z = np.maximum((grid - location) / scale, -700)  # far below, what it raises e to would overflow
        null = -z - np.exp(-z) - np.log(scale) + np.log(self.absent)
        own = -(((grid - mean) / deviation) ** 2) / 2 - np.log(deviation * np.sqrt(2 * np.pi)) + np.log1p(-self.absent)
        weight = np.exp(np.logaddexp(null, own)) + 1e-12
        return IsotonicCurve().fit(grid, sigmoid(own - null), weight)


def _best(scores: npt.ArrayLike, name: str) -> Float64:
    best = as_scores(scores, name).max(axis=1, initial=-np.inf)
    found: Float64 = best[best > -np.inf]
    return found
