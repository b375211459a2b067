"""Whether a judge is good enough to be learnt from, before anything is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from similia.errors import InputError
from similia.rank.judging.base import Float64

LEAST = 0.7


@dataclass(frozen=True)
class JudgeReport:
    """How a judge tells positives from negatives.

    Attributes:
        auc: how often it grades a query's positive above one of the query's negatives, equal grades counting half.
        pooled: the same over all positives and all negatives, whatever their query: lower where its grades do not
            compare between queries.
        pairs: positives and negatives that were compared within queries.
        unusable: grades that it did not give.
        least: the AUC that is asked for.
    """

    auc: float
    pooled: float
    pairs: int
    unusable: int
    least: float

    @property
    def good(self) -> bool:
        """Whether the AUC reaches what is asked for."""
        return self.auc >= self.least

    def require(self, *, force: bool = False) -> JudgeReport:
        """Itself, if the judge is good enough or ``force`` is given.

        Raises:
            InputError: the judge is not good enough.
        """
        if not self.good and not force:
            raise InputError(
                f"the judge tells positives from negatives with an AUC of {self.auc:.3f}, below {self.least:g}: what "
                "learns from it would get worse; take a better judge, or force it"
            )
        return self


def judge_report(positives: npt.ArrayLike, negatives: npt.ArrayLike, *, least: float = LEAST) -> JudgeReport:
    """Compare a judge's grades of known positives with those of known negatives.

    Args:
        positives: (q,) grade of each query's positive; NaN where the judge gave none.
        negatives: (q, k) grades of its negatives; NaN likewise.
        least: the AUC that is asked for. A judge of no worth has .5.

    Raises:
        InputError: shapes that do not fit, or no pair with two grades.

    Source:
        After the ablation of Gu et al. (arXiv 2510.13515): with a weak judge the result fell below the baseline.

    Examples:
        >>> report = judge_report([0.9, 0.8], [[0.1, 0.95], [0.2, float("nan")]])
        >>> round(report.auc, 3), report.unusable, report.good
        (0.667, 1, False)
    """
    best, rest = np.asarray(positives, dtype=np.float64), np.asarray(negatives, dtype=np.float64)
    if best.ndim != 1 or rest.ndim != 2 or len(best) != len(rest):
        raise InputError(f"positives {best.shape} and negatives {rest.shape}: expected (q,) and (q, k)")
    usable = ~np.isnan(best)[:, None] & ~np.isnan(rest)
    if not usable.any():
        raise InputError("there is no query with a graded positive and a graded negative")
    wins = (best[:, None] > rest) + 0.5 * (best[:, None] == rest)
    return JudgeReport(
        auc=float(wins[usable].mean()),
        pooled=_auc(best[~np.isnan(best)], rest[~np.isnan(rest)]),
        pairs=int(usable.sum()),
        unusable=int(np.isnan(best).sum() + np.isnan(rest).sum()),
        least=least,
    )


def _auc(positives: Float64, negatives: Float64) -> float:
    ordered = np.sort(negatives)
    below, upto = (np.searchsorted(ordered, positives, side=side) for side in ("left", "right"))
    return float((below + upto).sum() / (2 * positives.size * negatives.size))
