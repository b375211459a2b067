"""Calibration error, Brier score, reliability and pooled precision: by hand, and against scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from similia.errors import InputError
from similia.evaluate.metrics.calibration import brier_score, calibration_error, reliability, wilson_interval
from similia.evaluate.metrics.pooled import operating_point, pooled_average_precision

NAN = float("nan")
pairs = st.lists(st.tuples(st.integers(0, 12), st.integers(0, 1)), min_size=1, max_size=60)


def test_a_curve_by_hand():
    p = [0.05, 0.15, 0.15, 0.85, 0.95, 0.95, 1.0]
    y = [0, 0, 1, 1, 1, 0, 1]
    wide = reliability(p, y, bins=10, binning="width")
    assert wide.counts.tolist() == [1, 2, 1, 3]
    np.testing.assert_allclose(wide.confidence, [0.05, 0.15, 0.85, 2.9 / 3])
    np.testing.assert_allclose(wide.accuracy, [0, 0.5, 1, 2 / 3])
    assert wide.error == pytest.approx((0.05 + 2 * 0.35 + 0.15 + 0.9) / 7)
    assert calibration_error(p, y, bins=10, binning="width") == wide.error
    assert (wide.low <= wide.accuracy).all()
    assert (wide.accuracy <= wide.high).all()
    assert [*wide.to_dict()] == ["counts", "confidence", "accuracy", "low", "high"]


def test_bins_of_equal_mass_are_equal_and_part_no_equals():
    random = np.random.default_rng(0)
    p = random.random(1_000)
    curve = reliability(p, random.random(1_000) < p, bins=10)
    assert curve.counts.tolist() == [100] * 10
    tied = reliability(np.repeat([0.1, 0.6], [70, 30]), np.zeros(100), bins=10)
    assert tied.counts.tolist() == [70, 30]
    np.testing.assert_allclose(tied.confidence, [0.1, 0.6])


def test_truthful_probabilities_have_no_error_to_speak_of():
    random = np.random.default_rng(1)
    p = random.random(40_000)
    y = random.random(40_000) < p
    assert calibration_error(p, y) < 0.015
    assert calibration_error(np.sqrt(p), y) > 0.1
    assert calibration_error(np.full(40_000, 0.5), y) == pytest.approx(abs(0.5 - y.mean()))


@settings(deadline=None)
@given(pairs)
def test_one_bin_is_the_difference_of_the_means_and_brier_is_that_of_scikit_learn(rows):
    from sklearn.metrics import brier_score_loss

    p, y = np.array(rows, float).T
    p /= 12
    assert calibration_error(p, y, bins=1) == pytest.approx(abs(p.mean() - y.mean()))
    assert brier_score(p, y) == pytest.approx(brier_score_loss(y, p, pos_label=1))
    for binning in ("mass", "width"):
        curve = reliability(p, y, bins=5, binning=binning)
        assert curve.counts.sum() == p.size
        assert curve.counts @ curve.accuracy == pytest.approx(y.sum())
        assert abs(p.mean() - y.mean()) - 1e-9 <= curve.error <= 1


def test_wilson_by_hand():
    low, high = wilson_interval(np.array([0.0, 1.0, 0.5]), np.array([10.0, 10.0, 100.0]))
    np.testing.assert_allclose(low, [0.0, 0.7225, 0.4038], atol=1e-4)
    np.testing.assert_allclose(high, [0.2775, 1.0, 0.5962], atol=1e-4)


@settings(deadline=None)
@given(pairs)
def test_pooled_average_precision_is_that_of_scikit_learn(rows):
    from sklearn.metrics import average_precision_score, precision_recall_curve

    scores, labels = np.array(rows, float).T
    ours = pooled_average_precision(scores, labels)
    if not labels.any():
        assert np.isnan(ours)
        with pytest.raises(InputError, match="no pair is relevant"):
            operating_point(scores, labels)
        return
    assert ours == pytest.approx(average_precision_score(labels, scores))
    precision, recall, threshold = precision_recall_curve(labels, scores)
    reached = np.flatnonzero(recall[:-1] >= 0.8 - 1e-12)[-1]
    point = operating_point(scores, labels, recall=0.8)
    assert point.threshold == threshold[reached]
    assert point.precision == pytest.approx(precision[reached])
    assert point.recall == pytest.approx(recall[reached])
    assert point.filtered == pytest.approx((scores < point.threshold).mean())


def test_unjudged_and_empty_places():
    p, y = [[0.9, 0.4, 0.0]], [[1, NAN, NAN]]
    assert brier_score(p, y) == pytest.approx(0.01)
    assert pooled_average_precision([[0.9, 0.95, float("-inf")]], y) == 1.0
    assert np.isnan(brier_score([], []))
    assert np.isnan(calibration_error([0.3], [NAN]))
    assert np.isnan(pooled_average_precision([], []))


def test_ninety_five_of_twenty_are_nineteen():
    assert operating_point(np.arange(20, 0, -1), np.ones(20), recall=0.95).threshold == 2


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: brier_score([0.1], [1, 0]), "one shape"),
        (lambda: brier_score([NAN], [1]), "a value is NaN"),
        (lambda: brier_score([0.1], [3]), "outside 0 to 1"),
        (lambda: reliability([1.2], [1]), "turned into probabilities"),
        (lambda: reliability([0.2], [1], bins=0), "bins is 0"),
        (lambda: reliability([0.2], [1], binning="log"), "binning 'log' is unknown"),
        (lambda: operating_point([0.2], [1], recall=0), "recall is 0"),
    ],
)
def test_refuses_what_it_cannot_measure(call, message):
    with pytest.raises(InputError, match=message):
        call()
