"""Calibration without judgments: simulated collections whose truth is known."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from similia.errors import FingerprintMismatch, InputError
from similia.rank.calibration import EVERYDAY, UnlabelledCalibrator, tail_units, word_salads


def searched(random, queries, items, k=50, relevant=0, level=0.2):
    """The k best of normal scores, some of which are raised."""
    scores = random.normal(level, 0.1, (queries, items))
    scores[:, :relevant] += 0.5
    return -np.sort(-scores, axis=1)[:, :k]


@pytest.fixture(scope="module")
def fitted():
    random = np.random.default_rng(0)
    strange, own = searched(random, 100, 2_000), searched(random, 100, 2_000, relevant=5)
    return UnlabelledCalibrator(encoder="x").fit(strange, own, items=2_000)


def test_new_queries_about_something_else_are_told(fitted):
    random = np.random.default_rng(1)
    strange, own = searched(random, 300, 2_000), searched(random, 300, 2_000, relevant=5)
    assert (fitted.presence(strange) < 0.5).mean() > 0.95
    assert (fitted.presence(own) >= 0.5).mean() > 0.95
    assert fitted.separation_ > 0.98


def test_presence_is_calibrated_where_the_two_groups_overlap():
    random = np.random.default_rng(2)

    def groups(count):
        return random.gumbel(0.3, 0.05, (count, 1)), random.normal(0.45, 0.08, (count, 1))

    strange, own = groups(2_000)
    calibrator = UnlabelledCalibrator(absent=0.5).fit(strange, own, items=100)
    strange, own = groups(4_000)
    p = np.concatenate([calibrator.presence(strange), calibrator.presence(own)])
    truth = np.repeat([0.0, 1.0], 4_000)
    for low in (0.1, 0.3, 0.5, 0.7):
        inside = (p >= low) & (p < low + 0.2)
        assert p[inside].mean() == pytest.approx(truth[inside].mean(), abs=0.06)


def test_the_share_of_strange_queries_moves_the_presence():
    random = np.random.default_rng(2)
    strange, own = random.gumbel(0.3, 0.05, (200, 1)), random.normal(0.5, 0.08, (200, 1))
    few, many = (UnlabelledCalibrator(absent=a).fit(strange, own, items=9).presence([[0.42]])[0] for a in (0.1, 0.9))
    assert few > many + 0.2


def test_a_larger_collection_finds_better_nothing():
    """Of ten times the items, the best null score is higher by b ln 10, and so must be what is believed."""
    random = np.random.default_rng(4)
    small = random.gumbel(0.3, 0.05, (3_000, 1))
    large = random.gumbel(0.3 + 0.05 * np.log(10), 0.05, (3_000, 1))
    own = random.normal(0.7, 0.08, (500, 1))
    before = UnlabelledCalibrator().fit(small, own, items=100)
    after = UnlabelledCalibrator().fit(large, own, items=1_000)
    scores = np.linspace(0.3, 0.9, 50)[:, None]
    np.testing.assert_allclose(before.presence(scores, items=1_000), after.presence(scores), atol=0.05)
    assert (before.presence(scores) - after.presence(scores)).max() > 0.3


def test_a_quarter_of_strange_queries_may_be_at_home():
    random = np.random.default_rng(0)
    strange, own = searched(random, 80, 500), searched(random, 100, 500, relevant=3)
    clean = UnlabelledCalibrator().fit(strange, own, items=500)
    mixed = UnlabelledCalibrator().fit(np.vstack([strange, own[:16]]), own, items=500)
    new = searched(np.random.default_rng(1), 200, 500)
    assert (mixed.presence(new) < 0.5).mean() > 0.9
    assert abs(clean._strange[0] - mixed._strange[0]) < 0.05


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 99), st.floats(-0.5, 0.6), st.floats(0.01, 0.2), st.floats(0.05, 0.95))
def test_presence_never_falls_and_order_stays(seed, gap, spread, absent):
    random = np.random.default_rng(seed)
    strange = random.gumbel(0.3, 0.05, (30, 1))
    own = random.normal(0.3 + gap, spread, (30, 1))
    calibrator = UnlabelledCalibrator(absent=absent).fit(strange, own, items=50)
    presence = calibrator.presence(np.linspace(-2, 3, 200)[:, None])
    assert (np.diff(presence) >= 0).all()
    assert ((presence >= 0) & (presence <= 1)).all()
    scores = np.round(random.normal(0.4, 0.2, (3, 20)), 2)
    p = calibrator.transform(scores)
    assert p.dtype == np.float32
    for row, given_scores in zip(p, scores, strict=True):
        assert (np.diff(row[np.argsort(given_scores, kind="stable")]) >= 0).all()
    assert (p <= calibrator.presence(scores)[:, None] + 1e-6).all()


def test_what_stands_out_of_its_list_is_likelier(fitted):
    own = searched(np.random.default_rng(3), 50, 2_000, relevant=3)
    p = fitted.transform(own)
    assert (p[:, :3].min(axis=1) > p[:, 10]).all()
    units = tail_units(own)
    assert units[:, :3].mean() > units[:, 5].mean() + 2


def test_empty_places_and_lists(fitted):
    none = float("-inf")
    assert fitted.presence([[none, none], [0.9, none]]).tolist() == [0.0, pytest.approx(1.0, abs=1e-3)]
    assert fitted.transform([[none, none]]).tolist() == [[0.0, 0.0]]
    assert fitted.transform(np.zeros((0, 5))).shape == (0, 5)
    assert fitted.presence(np.zeros((2, 0))).tolist() == [0.0, 0.0]


def test_what_is_stored_is_read_again(fitted):
    again = UnlabelledCalibrator.from_dict(json.loads(json.dumps(fitted.to_dict(), allow_nan=False)))
    scores = searched(np.random.default_rng(8), 5, 100)
    assert (again.transform(scores) == fitted.transform(scores)).all()
    assert UnlabelledCalibrator.from_dict(json.loads(json.dumps(UnlabelledCalibrator().to_dict()))).items_ == 0
    with pytest.raises(FingerprintMismatch):
        again.check("y")
    again.check("x")


def test_salads_are_words_of_the_texts():
    texts = ["alpha beta gamma", "", "delta, epsilon!", "..."]
    salads = word_salads(texts, 50, words=(2, 4), seed=3)
    assert salads == word_salads(texts, 50, words=(2, 4), seed=3)
    assert salads != word_salads(texts, 50, words=(2, 4), seed=4)
    words = [salad.split() for salad in salads]
    assert {word for each in words for word in each} == {"alpha", "beta", "gamma", "delta", "epsilon"}
    assert {len(w) for w in words} == {2, 3, 4}
    assert word_salads(texts, 0) == []


def test_everyday_queries_differ():
    assert len({*EVERYDAY}) == len(EVERYDAY) == 100


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda f: UnlabelledCalibrator(absent=0), "absent is 0"),
        (lambda f: UnlabelledCalibrator().fit(np.zeros((3, 1)), np.zeros((20, 1)), items=5), "strange: 3 queries"),
        (lambda f: UnlabelledCalibrator().fit(np.zeros((20, 1)), np.zeros((3, 1)), items=5), "own: 3 queries"),
        (lambda f: UnlabelledCalibrator().fit(np.zeros((20, 1)), np.full((20, 1), -np.inf), items=5), "own: 0 queries"),
        (
            lambda f: UnlabelledCalibrator().fit(np.full((20, 1), np.nan), np.zeros((20, 1)), items=5),
            "strange: a score",
        ),
        (lambda f: UnlabelledCalibrator().fit(np.zeros((20, 1)), np.zeros((20, 1)), items=0), "items is 0"),
        (lambda f: f.presence([[0.5]], items=0), "items is 0"),
        (lambda f: UnlabelledCalibrator().presence([[0.5]]), "not fitted"),
        (lambda f: UnlabelledCalibrator.from_dict({"format": 9}), "format 9"),
        (lambda f: UnlabelledCalibrator.from_dict({"format": 1}), "no stored"),
        (lambda f: UnlabelledCalibrator.from_dict([]), "no stored"),
        (lambda f: word_salads(["...", ""]), "no text holds a word"),
        (lambda f: word_salads(["a"], words=(3, 2)), "words are"),
        (lambda f: word_salads(["a"], -1), "at least 0"),
    ],
)
def test_refuses_what_it_cannot_use(fitted, call, message):
    with pytest.raises(InputError, match=message):
        call(fitted)
