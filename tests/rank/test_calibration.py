"""Curves against scikit-learn, the order of hits, thresholds, and what is stored."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from similia.errors import FingerprintMismatch, InputError
from similia.rank.calibration import Calibrator, score_features, tail_units
from similia.rank.calibration.inputs import sigmoid
from similia.rank.calibration.isotonic import IsotonicCurve, rising
from similia.rank.calibration.platt import PlattCurve

NAN, NONE = float("nan"), float("-inf")
SMALL = {"hidden": 4, "steps": 30, "epochs": 5, "batch": 4}
KINDS = ("platt", "isotonic", "adapter")


def made(kind, **rest):
    return Calibrator(kind, **(SMALL if kind == "adapter" else {}), **rest)


@st.composite
def judged_lists(draw):
    """Scores with empty places, and labels with gaps, of which one at least is known."""
    queries, k = draw(st.integers(1, 6)), draw(st.integers(1, 6))
    random = np.random.default_rng(draw(st.integers(0, 99)))
    scores = np.round(random.normal(0.3, 0.2, (queries, k)), draw(st.integers(1, 9)))
    labels = (random.random((queries, k)) < sigmoid(4 * scores)).astype(float)
    labels[random.random((queries, k)) < 0.2] = NAN
    labels[0, 0] = draw(st.sampled_from([0.0, 0.5, 1.0]))
    empty = random.random((queries, k)) < 0.2
    empty[0, 0] = False
    scores[empty] = NONE
    return scores, labels


@settings(deadline=None, max_examples=40)
@given(judged_lists(), st.sampled_from(KINDS))
def test_the_order_of_hits_stays_and_nothing_leaves_its_range(problem, kind):
    scores, labels = problem
    calibrator = made(kind).fit(scores, labels)
    p, odds = calibrator.transform(scores), calibrator.log_odds(scores)
    assert p.dtype == np.float32
    assert p.shape == scores.shape
    assert ((p >= 0) & (p <= 1)).all()
    assert (p[scores == NONE] == 0).all()
    assert (odds[scores == NONE] == NONE).all()
    for row, given_scores in zip(odds, scores, strict=True):
        order = np.argsort(given_scores, kind="stable")
        known = given_scores[order] > NONE
        steps = np.diff(row[order][known])
        assert (steps >= 0).all()
        assert (steps[np.diff(given_scores[order][known]) == 0] == 0).all()
        if kind == "adapter":
            assert (steps[np.diff(given_scores[order][known]) > 1e-6] > 0).all()


@settings(deadline=None, max_examples=30)
@given(judged_lists(), st.sampled_from(KINDS))
def test_what_is_stored_gives_the_very_same_probabilities(problem, kind):
    scores, labels = problem
    calibrator = made(kind, encoder="abc").fit(scores, labels)
    again = Calibrator.from_dict(json.loads(json.dumps(calibrator.to_dict(), allow_nan=False)))
    assert (again.transform(scores) == calibrator.transform(scores)).all()
    assert again.to_dict() == calibrator.to_dict()


@settings(deadline=None, max_examples=60)
@given(
    st.lists(st.tuples(st.integers(0, 6), st.sampled_from([0.0, 0.3, 1.0])), min_size=1, max_size=30),
    st.lists(st.floats(-2, 9), min_size=1, max_size=10),
)
def test_isotonic_is_that_of_scikit_learn(pairs, asked):
    from sklearn.isotonic import IsotonicRegression

    x, y = np.array(pairs, float).T
    theirs = IsotonicRegression(out_of_bounds="clip").fit(x, y)
    ours = IsotonicCurve().fit(x, y)
    np.testing.assert_allclose(ours.probability(np.array(asked)), theirs.predict(asked), atol=1e-9)


def test_rising_weighs():
    level, begin = rising(np.array([3.0, 1.0, 2.0]), np.array([1.0, 3.0, 1.0]))
    assert level.tolist() == [1.5, 2.0]
    assert begin.tolist() == [0, 2]


def test_platt_is_the_least_of_its_loss():
    from scipy.optimize import minimize

    random = np.random.default_rng(1)
    x = random.normal(0.4, 0.1, 400)
    y = (random.random(400) < sigmoid(20 * (x - 0.5))).astype(float)
    curve = PlattCurve().fit(x, y)
    up, down = (y.sum() + 1) / (y.sum() + 2), 1 / ((1 - y).sum() + 2)
    target = np.where(y == 1, up, down)
    best = minimize(
        lambda w: (np.logaddexp(0, w[0] * x + w[1]) - target * (w[0] * x + w[1])).sum(), [0.0, 0.0], tol=1e-12
    )
    np.testing.assert_allclose(
        curve.log_odds(np.array([0.2, 0.6])), best.x[0] * np.array([0.2, 0.6]) + best.x[1], atol=1e-3
    )
    # Newton ended where the gradient is 0.
    residual = sigmoid(curve.log_odds(x)) - target
    assert abs(residual.sum()) < 1e-5
    assert abs(residual @ x) < 1e-5


def test_platt_of_separable_scores_is_not_certain_and_of_backward_ones_says_the_prior():
    p = Calibrator("platt").fit([[0.1, 0.2, 0.8, 0.9]], [[0, 0, 1, 1]]).transform([[0.15, 0.85]])
    assert 0.05 < p[0, 0] < 0.5 < p[0, 1] < 0.95
    flat = Calibrator("platt").fit([[0.1, 0.2, 0.8, 0.9]], [[1, 1, 0, 0]]).transform([[0.1, 0.9]])
    np.testing.assert_allclose(flat, 0.5)


@pytest.mark.parametrize("kind", KINDS)
def test_equal_scores_get_one_probability_near_the_share(kind):
    calibrator = Calibrator(kind).fit(np.full((20, 5), 0.5), np.tile([1.0, 0, 0, 0, 0], (20, 1)))
    p = calibrator.transform(np.full((2, 3), 0.5))
    assert (p == p[0, 0]).all()
    assert p[0, 0] == pytest.approx(0.2, abs=0.03)


@pytest.mark.parametrize("kind", KINDS)
def test_a_query_for_which_nothing_is_relevant_is_allowed(kind):
    calibrator = made(kind).fit([[0.5, 0.4], [0.9, 0.1]], [[0, 0], [0, 0]])
    assert calibrator.transform([[0.5]]).max() < 0.5
    assert calibrator.relevant_ == 0
    assert calibrator.pairs_ == 4


@pytest.mark.parametrize("kind", KINDS)
def test_empty_lists_give_empty_answers(kind):
    calibrator = made(kind).fit([[0.5, 0.4]], [[1, 0]])
    assert calibrator.transform(np.zeros((0, 4))).shape == (0, 4)
    assert calibrator.transform(np.zeros((3, 0))).shape == (3, 0)
    assert calibrator.transform([[NONE, NONE]]).tolist() == [[0.0, 0.0]]


@pytest.mark.parametrize("kind", KINDS)
def test_unjudged_pairs_teach_nothing(kind):
    scores, labels = [[0.9, 0.5, 0.1], [0.8, 0.4, 0.3]], [[1, NAN, 0], [1, 0, NAN]]
    calibrator = made(kind).fit(scores, labels)
    assert calibrator.pairs_ == 4
    if kind != "adapter":  # whose features are those of the whole list
        alone = Calibrator(kind).fit([[0.9, 0.1, 0.8, 0.4]], [[1, 0, 1, 0]])
        assert (alone.transform([[0.6, 0.2]]) == calibrator.transform([[0.6, 0.2]])).all()


def test_thresholds_do_what_they_are_chosen_for():
    random = np.random.default_rng(3)
    scores = np.sort(random.random((50, 20)))[:, ::-1]
    labels = (random.random((50, 20)) < scores**3).astype(float)
    labels[random.random((50, 20)) < 0.1] = NAN
    calibrator = Calibrator("platt").fit(scores, labels)
    p = calibrator.transform(scores)
    for wanted in (0.5, 0.95, 1.0):
        threshold = calibrator.threshold_for(scores, labels, recall=wanted)
        kept = (p >= threshold)[labels > 0].mean()
        assert kept >= wanted
        assert (p > threshold)[labels > 0].mean() < wanted
    threshold = calibrator.threshold_for(scores, labels, precision=0.7)
    judged = ~np.isnan(labels)
    share = labels[judged & (p >= threshold)].mean()
    assert share >= 0.7
    lower = np.unique(p[judged & (p < threshold)])
    assert all(labels[judged & (p >= value)].mean() < 0.7 for value in lower)
    with pytest.raises(InputError, match="no threshold reaches a precision of 1"):
        calibrator.threshold_for([[0.9, 0.8]], [[0, 1]], precision=1.0)


def test_another_encoder_is_refused():
    calibrator = Calibrator("platt", encoder="a" * 64)
    calibrator.check("a" * 64)
    with pytest.raises(FingerprintMismatch, match="fit it again"):
        calibrator.check("b" * 64)
    Calibrator("platt").check("b" * 64)


def test_statistics_of_a_list_by_hand():
    scores = np.array([[0.1, 0.9, 0.4, NONE], [NONE] * 4])
    found = score_features(scores)
    known = [0.9, 0.4, 0.1]
    np.testing.assert_allclose(found[0], [0.9, 0.4, 0.1, 0.1, 0.1, 0.1, np.std(known)])
    assert (found[1] == 0).all()
    assert score_features(np.zeros((0, 3))).shape == (0, 7)
    assert score_features(np.zeros((2, 0))).tolist() == [[0.0] * 7] * 2


def test_units_of_the_tail_are_those_of_its_line():
    random = np.random.default_rng(0)
    ranks = np.arange(1, 101)
    line = 0.6 - 0.05 * np.log(ranks)
    line[:3] += [0.3, 0.2, 0.1]
    order = random.permutation(100)
    found = tail_units(np.vstack([line, line[order]]))
    np.testing.assert_allclose(found[0, 3:], -np.log(ranks[3:]), atol=1e-6)
    np.testing.assert_allclose(found[0, :3] + np.log(ranks[:3]), [6, 4, 2], atol=1e-6)
    np.testing.assert_allclose(found[1], found[0][order])
    # Adding to all scores, or multiplying them, changes nothing: units are the list's own.
    np.testing.assert_allclose(tail_units([7 * line + 3])[0], found[0], atol=1e-6)


@settings(deadline=None, max_examples=60)
@given(judged_lists())
def test_units_of_the_tail_rise_with_the_score(problem):
    scores, _ = problem
    units = tail_units(scores)
    assert (units[scores == NONE] == NONE).all()
    assert np.isfinite(units[scores > NONE]).all()
    for row, given_scores in zip(units, scores, strict=True):
        order = np.argsort(given_scores)
        known = given_scores[order] > NONE
        assert (np.diff(row[order][known]) >= 0).all()


def test_nothing_relevant_has_units_of_extreme_values():
    """A list's best score is then a Gumbel variable, of median -ln(ln 2) = .37 (less for the error of the line)."""
    random = np.random.default_rng(5)
    scores = -np.sort(-random.gumbel(0.2, 0.03, (400, 2_000)), axis=1)[:, :100]
    assert np.median(tail_units(scores)[:, 0]) == pytest.approx(-math.log(math.log(2)), abs=0.25)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: Calibrator("beta"), "kind 'beta' is unknown; there are platt, isotonic, adapter"),
        (lambda: Calibrator("platt", hidden=3), "kind 'platt' takes no hidden"),
        (lambda: Calibrator("adapter", depth=3), "no such option"),
        (lambda: Calibrator("adapter", family="cubic"), "family 'cubic' is unknown"),
        (lambda: Calibrator("adapter", hidden=0), "at least 1"),
        (lambda: Calibrator("adapter", rate=0.0), "rate"),
        (lambda: Calibrator().fit([[NAN]], [[1]]), "NaN or infinite"),
        (lambda: Calibrator().fit([[float("inf")]], [[1]]), "NaN or infinite"),
        (lambda: Calibrator().fit([0.5], [1]), "1 axes"),
        (lambda: Calibrator().fit([[0.5]], [[1, 0]]), "one label a score"),
        (lambda: Calibrator().fit([[0.5]], [[2]]), "outside 0 to 1"),
        (lambda: Calibrator().fit([[0.5]], [[NAN]]), "no pair is judged"),
        (lambda: Calibrator().fit([[NONE]], [[1]]), "no pair is judged"),
        (lambda: Calibrator().fit([[0.5]], [[1]], [[1.0]]), "takes no features"),
        (lambda: Calibrator().transform([[0.5]]), "not fitted"),
        (lambda: made("adapter").fit([[0.5]], [[1]], [[NAN]]), "a feature is NaN"),
        (lambda: made("adapter").fit([[0.5]], [[1]], [[1.0], [2.0]]), "one row a query"),
        (lambda: made("adapter").fit([[0.5]], [[1]], groups=[1, 2]), "one a query"),
        (lambda: made("adapter").fit([[0.5]], [[1]], [[1.0]]).transform([[0.5]]), "features of its own"),
        (lambda: made("adapter").fit([[0.5]], [[1]], [[1.0]]).transform([[0.5]], [[1.0, 2.0]]), "knows 1"),
        (lambda: made("adapter").fit([[0.5]], [[1]]).transform([[0.5]], [[1.0]]), "statistics of the list"),
        (lambda: Calibrator().fit([[0.5]], [[1]]).threshold_for([[0.5]], [[1]]), "either recall or precision"),
        (lambda: Calibrator().fit([[0.5]], [[1]]).threshold_for([[0.5]], [[0]], recall=0.9), "no pair is relevant"),
        (lambda: Calibrator().fit([[0.5]], [[1]]).threshold_for([[0.5]], [[1]], recall=1.5), "recall is 1.5"),
        (lambda: Calibrator.from_dict({"format": 2}), "format 2"),
        (lambda: Calibrator.from_dict({}), "no stored calibrator"),
        (lambda: Calibrator.from_dict({**Calibrator().fit([[0.5]], [[1]]).to_dict(), "curve": {}}), "no stored"),
    ],
)
def test_refuses_what_it_cannot_use(call, message):
    with pytest.raises(InputError, match=message):
        call()
