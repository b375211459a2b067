"""How well ONE threshold cuts the lists of all queries: all (query, item) pairs in one pool.

Metrics of rankings look at each query by itself and do not see that the scores of one query lie above those of
another. A threshold does. Labels above 0 are relevant; NaN, not judged, leaves a pair out.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from similia.errors import InputError
from similia.evaluate.metrics._gains import Float64
from similia.evaluate.metrics.calibration import judged_pairs


@dataclass(frozen=True)
class OperatingPoint:
    """What a threshold does: keep a pair where its score is at least that.

    Attributes:
        threshold: of the score.
        precision: the share of the kept pairs that are relevant.
        recall: the share of the relevant pairs that are kept.
        filtered: the share of all pairs that are not kept.
    """

    threshold: float
    precision: float
    recall: float
    filtered: float


def pooled_average_precision(scores: npt.ArrayLike, labels: npt.ArrayLike) -> float:
    """Return the area under precision over recall, in steps: sum of (recall_i - recall_i-1) * precision_i.

    Pairs of equal score are kept or dropped together, so their order does not matter. NaN where nothing is relevant.

    Args:
        scores: numbers of any shape, higher for more relevant; -inf for the empty places of a list.
        labels: of the same shape, in [0, 1]; NaN where not judged.

    Raises:
        InputError: shapes that differ, a NaN score, or a label outside [0, 1].

    Examples:
        >>> round(pooled_average_precision([[0.9, 0.2], [0.8, 0.7]], [[1, 0], [0, 1]]), 4)   # 1/2 + 1/2 * 2/3
        0.8333
    """
    _, kept, found = _steps(scores, labels)
    if not found.size or found[-1] == 0:
        return float("nan")
    recall = np.diff(found, prepend=0.0) / found[-1]
    return float(recall @ (found / kept))


def operating_point(scores: npt.ArrayLike, labels: npt.ArrayLike, *, recall: float = 0.95) -> OperatingPoint:
    """Return the highest threshold that keeps a share of the relevant pairs; P@R95 is its precision at 0.95.

    Args:
        scores: as in `pooled_average_precision`.
        labels: as there.
        recall: the share of relevant pairs to keep, above 0 and at most 1.

    Raises:
        InputError: as there; no relevant pair; a recall outside (0, 1].

    Examples:
        >>> operating_point([0.9, 0.8, 0.7, 0.1], [1, 0, 1, 0], recall=0.95)
        OperatingPoint(threshold=0.7, precision=0.6666666666666666, recall=1.0, filtered=0.25)
    """
    if not 0 < recall <= 1:
        raise InputError(f"recall is {recall!r}; it is a share of the relevant pairs, above 0 and at most 1")
    values, kept, found = _steps(scores, labels)
    if not found.size or found[-1] == 0:
        raise InputError("no pair is relevant, so no threshold keeps a share of the relevant ones")
    at = int(np.searchsorted(found, recall * found[-1] * (1 - 1e-12)))  # .95 of 20 is 19, whatever floats make of it
    return OperatingPoint(
        threshold=float(values[at]),
        precision=float(found[at] / kept[at]),
        recall=float(found[at] / found[-1]),
        filtered=float(1 - kept[at] / kept[-1]),
    )


def _steps(scores: npt.ArrayLike, labels: npt.ArrayLike) -> tuple[Float64, Float64, Float64]:
    """Each different score from the highest, how many pairs have at least that, and how many relevant ones do."""
    given, truth = judged_pairs(scores, labels)
    order = np.argsort(-given, kind="stable")
    given, relevant = given[order], np.cumsum(truth[order] > 0, dtype=np.float64)
    last = np.flatnonzero(np.append(given[1:] != given[:-1], True)[: given.size])
    return given[last], (last + 1).astype(np.float64), relevant[last]
