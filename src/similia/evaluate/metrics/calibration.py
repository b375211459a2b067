"""Whether probabilities mean what they say: calibration error, Brier score and the reliability curve.

A probability is calibrated where, of all the hits that are given 0.7, seven in ten are relevant. Labels lie in [0, 1]
(graded judgments may be read as probabilities) and are NaN where nobody judged; those pairs are left out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, get_args

import numpy as np
import numpy.typing as npt

from similia.errors import InputError
from similia.evaluate.metrics._gains import Float64
from similia.types import Int64

Binning: TypeAlias = Literal["mass", "width"]
CONFIDENCE_Z = 1.959964
"""Half width of a 95 % interval, in standard errors."""


@dataclass(frozen=True, eq=False)
class Reliability:
    """What was said and what came true, by bins of probability that are not empty, lowest first.

    Attributes:
        counts: int64 (b,) pairs in each bin.
        confidence: float64 (b,) mean probability that was given.
        accuracy: float64 (b,) mean label.
        low: float64 (b,) lower end of the 95 % Wilson interval of the accuracy.
        high: float64 (b,) its upper end.
    """

    counts: Int64
    confidence: Float64
    accuracy: Float64
    low: Float64
    high: Float64

    @property
    def error(self) -> float:
        """The expected calibration error: mean distance of the two, weighted by count; NaN without pairs."""
        if not self.counts.size:
            return float("nan")
        return float(np.average(np.abs(self.confidence - self.accuracy), weights=self.counts))

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return {name: getattr(self, name).tolist() for name in ("counts", "confidence", "accuracy", "low", "high")}


def reliability(
    probabilities: npt.ArrayLike, labels: npt.ArrayLike, *, bins: int = 15, binning: Binning = "mass"
) -> Reliability:
    """Return the reliability curve of probabilities.

    Args:
        probabilities: numbers in [0, 1], of any shape.
        labels: of the same shape, in [0, 1], NaN where not judged.
        bins: how many, at least 1.
        binning: ``mass``, bins of (nearly) equal counts, where equal probabilities share a bin; or ``width``, bins of
            equal width, of which most hits may fall into the lowest.

    Raises:
        InputError: shapes that differ, numbers outside [0, 1], NaN among the probabilities, bins below 1.

    Source:
        Naeini, Cooper and Hauskrecht, Obtaining Well Calibrated Probabilities Using Bayesian Binning (AAAI 2015);
        Wilson, Probable Inference, the Law of Succession, and Statistical Inference (JASA 1927).

    Examples:
        >>> curve = reliability([0.2, 0.2, 0.9, 0.9], [0, 1, 1, 1], bins=2)
        >>> curve.confidence.tolist(), curve.accuracy.tolist(), round(curve.error, 4)
        ([0.2, 0.9], [0.5, 1.0], 0.2)
    """
    if bins < 1:
        raise InputError(f"bins is {bins}; a curve needs at least 1")
    if binning not in get_args(Binning):
        raise InputError(f"binning {binning!r} is unknown; there are {', '.join(get_args(Binning))}")
    given, truth = judged_pairs(probabilities, labels)
    if given.size and not (given.min() >= 0 and given.max() <= 1):
        raise InputError("a probability lies outside 0 to 1; scores must be turned into probabilities first")
    order = np.argsort(given, kind="stable")
    given, truth = given[order], truth[order]
    if binning == "width":
        place = np.minimum((given * bins).astype(np.int64), bins - 1)
    else:
        # The bin of a value is that of its first place in the order, so that equal values are never parted.
        place = np.searchsorted(given, given, side="left") * bins // max(given.size, 1)
    counts = np.bincount(place, minlength=bins)
    kept = counts > 0
    n = counts[kept].astype(np.float64)
    confidence = np.bincount(place, weights=given, minlength=bins)[kept] / n
    accuracy = np.bincount(place, weights=truth, minlength=bins)[kept] / n
    low, high = wilson_interval(accuracy, n)
    return Reliability(counts[kept].astype(np.int64), confidence, accuracy, low, high)


def calibration_error(
    probabilities: npt.ArrayLike, labels: npt.ArrayLike, *, bins: int = 15, binning: Binning = "mass"
) -> float:
    """Return the expected calibration error, in [0, 1]: how far probabilities are from the shares that come true.

    The arguments and errors are those of `reliability`. NaN where nothing is judged.

    Examples:
        >>> round(calibration_error([0.1, 0.1, 0.9, 0.9], [0, 0, 1, 1], bins=2), 4)
        0.1
    """
    return reliability(probabilities, labels, bins=bins, binning=binning).error


def brier_score(probabilities: npt.ArrayLike, labels: npt.ArrayLike) -> float:
    """Return the mean squared distance of probabilities and labels, in [0, 1]; NaN where nothing is judged.

    Lower is better. Unlike the calibration error it also rewards telling relevant from irrelevant.

    Raises:
        InputError: as `reliability`.

    Source:
        Brier, Verification of Forecasts Expressed in Terms of Probability (Monthly Weather Review, 1950).

    Examples:
        >>> round(brier_score([0.5, 1.0, 0.3], [1, 1, float("nan")]), 4)
        0.125
    """
    given, truth = judged_pairs(probabilities, labels)
    return float(np.mean((given - truth) ** 2)) if given.size else float("nan")


def wilson_interval(share: Float64, count: Float64, z: float = CONFIDENCE_Z) -> tuple[Float64, Float64]:
    """The ends of Wilson's score interval of a share that was seen in ``count`` cases, both (n,).

    Examples:
        >>> low, high = wilson_interval(np.array([0.5]), np.array([10.0]))
        >>> low.round(4).tolist(), high.round(4).tolist()
        ([0.2366], [0.7634])
    """
    scale = 1 + z * z / count
    centre = (share + z * z / (2 * count)) / scale
    half = z * np.sqrt(share * (1 - share) / count + z * z / (4 * count * count)) / scale
    return np.maximum(centre - half, 0.0), np.minimum(centre + half, 1.0)


def judged_pairs(values: npt.ArrayLike, labels: npt.ArrayLike) -> tuple[Float64, Float64]:
    """The values and labels of the pairs that are judged, both (n,).

    Raises:
        InputError: shapes that differ, a NaN value, or a label outside [0, 1].

    Examples:
        >>> judged_pairs([[0.1, 0.2]], [[1, float("nan")]])
        (array([0.1]), array([1.]))
    """
    given, truth = np.asarray(values, dtype=np.float64), np.asarray(labels, dtype=np.float64)
    if given.shape != truth.shape:
        raise InputError(f"there are {given.shape} values and {truth.shape} labels; they must be of one shape")
    known = ~np.isnan(truth)
    given, truth = given[known], truth[known]
    if np.isnan(given).any():
        raise InputError("a value is NaN; leave out pairs that have none by a label of NaN")
    if truth.size and not (truth.min() >= 0 and truth.max() <= 1):
        raise InputError("a label lies outside 0 to 1; divide graded judgments by the highest grade")
    return given, truth
