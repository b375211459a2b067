"""Judged negatives and the loss: by hand, and against numerical derivatives and SciPy."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.special import rel_entr, softmax

from similia.errors import InputError
from similia.rank.judging import align_distributions, cyclic, mine_negatives


@given(st.integers(0, 30), st.integers(1, 40))
def test_cyclic_ranks_are_a_permutation_in_steps(count, step):
    ranks = cyclic(count, step).tolist()
    assert sorted(ranks) == list(range(count))
    assert ranks == sorted(range(count), key=lambda rank: (rank % step, rank))


def test_published_ranks():
    assert cyclic(50, 5)[:10].tolist() == [0, 5, 10, 15, 20, 25, 30, 35, 40, 45]


def test_false_negatives_are_dropped_relative_to_the_positive():
    similarities = [[0.9, 0.8, 0.7, 0.6, 0.5]]
    grades = [[0.96, 0.94, 0.2, 0.8951, 0.1]]
    found = mine_negatives(similarities, grades, [0.95], margin=0.05, step=1, k=2)
    assert found.places.tolist() == [[2, 3]]
    np.testing.assert_allclose(found.grades, [[0.2, 0.8951]])
    assert (found.removed.tolist(), found.skipped.tolist(), found.fallback.tolist()) == ([2], [0], [False])


def test_few_are_taken_over_again_and_in_cyclic_order():
    similarities = [[0.5, 0.9, 0.7, 0.8, 0.6]]  # best first: 1, 3, 2, 4, 0
    found = mine_negatives(similarities, np.zeros((1, 5)), [1.0], step=2, k=8)
    assert found.places.tolist() == [[1, 2, 0, 3, 4, 1, 2, 0]]


def test_candidates_too_like_the_query_and_beyond_the_pool_are_left_out():
    similarities = [[0.99, 0.8, 0.7, 0.6, -np.inf]]
    found = mine_negatives(similarities, np.zeros((1, 5)), [1.0], below=0.9, pool=2, step=1, k=2)
    assert found.places.tolist() == [[1, 2]]
    assert mine_negatives(similarities, np.zeros((1, 5)), [1.0], below=0.1, k=2).places.tolist() == [[-1, -1]]


def test_where_all_are_false_negatives_random_ones_stand_in():
    found = mine_negatives([[0.9, 0.8, 0.7]], [[0.9, 0.9, np.nan]], [0.72], k=3)
    assert found.fallback.tolist() == [True]
    assert sorted(found.places[0].tolist()) == [0, 1, 2]
    assert found.grades.tolist() == [[1.0, 1.0, 1.0]]
    assert (found.removed.tolist(), found.skipped.tolist()) == ([2], [1])
    again = mine_negatives([[0.9, 0.8, 0.7]], [[0.9, 0.9, np.nan]], [0.72], k=3)
    assert again.places.tolist() == found.places.tolist()


def test_no_query_and_no_candidate():
    assert mine_negatives(np.empty((0, 5)), np.empty((0, 5)), []).places.shape == (0, 8)
    assert mine_negatives(np.empty((2, 0)), np.empty((2, 0)), [1, 1]).places.tolist() == [[-1] * 8] * 2


@given(st.data())
def test_every_negative_is_one_that_the_judge_allows(data):
    shape = data.draw(st.tuples(st.integers(0, 3), st.integers(1, 12)))
    grade = st.sampled_from([0.0, 0.2, 0.5, 0.9, float("nan")])
    grades = data.draw(hnp.arrays(float, shape, elements=grade))
    similarities = data.draw(hnp.arrays(float, shape, elements=st.floats(-1, 1)))
    best = data.draw(hnp.arrays(float, shape[0], elements=st.floats(0, 1)))
    pool = data.draw(st.integers(1, 12))
    found = mine_negatives(similarities, grades, best, pool=pool, k=5, step=data.draw(st.integers(1, 6)))
    for query in range(shape[0]):
        looked = np.argsort(-similarities[query], kind="stable")[:pool]
        allowed = [p for p in looked.tolist() if grades[query, p] <= best[query] - 0.05]
        if allowed:
            assert {*found.places[query].tolist()} <= {*allowed}
            assert len({*found.places[query].tolist()}) == min(5, len(allowed))
        else:
            assert found.fallback[query]
            assert {*found.places[query].tolist()} <= {*looked.tolist()}


@pytest.mark.parametrize(
    ("similarities", "grades", "positive", "settings"),
    [
        ([[1.0]], [[1.0, 2.0]], [1], {}),
        ([[1.0]], [[1.0]], [1, 2], {}),
        ([[np.nan]], [[1.0]], [1], {}),
        ([[1.0]], [[1.0]], [np.nan], {}),
        ([[1.0]], [[1.0]], [1], {"k": 0}),
        ([[1.0]], [[1.0]], [1], {"step": 0}),
    ],
)
def test_what_does_not_fit_is_refused(similarities, grades, positive, settings):
    with pytest.raises(InputError):
        mine_negatives(similarities, grades, positive, **settings)


rows = hnp.arrays(float, (2, 4), elements=st.floats(-1, 1, width=32))


@pytest.mark.parametrize("kind", ["jeffreys", "kl", "js"])
@settings(deadline=None)
@given(own=rows, given=rows)
def test_losses_and_gradients(kind, own, given):
    chosen = {"temperature": 0.3, "grade_temperature": 0.5, "kind": kind}
    loss, gradient = align_distributions(own, given, **chosen)
    p, q = softmax(own / 0.3, axis=1), softmax(given / 0.5, axis=1)
    m = (p + q) / 2
    expected = {
        "jeffreys": (rel_entr(p, q) + rel_entr(q, p)) / 2,
        "kl": rel_entr(q, p),
        "js": (rel_entr(p, m) + rel_entr(q, m)) / 2,
    }[kind]
    assert loss == pytest.approx(expected.sum(axis=1).mean(), abs=1e-9)
    for place in np.ndindex(own.shape):
        step = np.zeros_like(own)
        step[place] = 1e-5
        up, down = (align_distributions(own + sign * step, given, **chosen)[0] for sign in (1, -1))
        assert gradient[place] == pytest.approx((up - down) / 2e-5, abs=2e-5)


@given(rows, st.floats(-3, 3))
def test_equal_up_to_a_constant_is_no_loss(own, constant):
    loss, gradient = align_distributions(own, own + constant)
    assert loss == pytest.approx(0, abs=1e-9)
    np.testing.assert_allclose(gradient, 0, atol=1e-6)


@given(rows, rows)
def test_the_published_loss_is_symmetric(own, given):
    assert align_distributions(own, given)[0] == pytest.approx(align_distributions(given, own)[0])


def test_saturated_softmax_stays_finite():
    loss, gradient = align_distributions([[1.0, -1.0]], [[-1.0, 1.0]], temperature=1e-3)
    assert loss == pytest.approx(2000)
    assert np.isfinite(gradient).all()
    assert align_distributions(np.empty((0, 3)), np.empty((0, 3)))[0] == 0
    assert align_distributions([[0.4]], [[0.9]])[0] == 0


@pytest.mark.parametrize(
    ("own", "given", "settings"),
    [
        ([[1.0]], [[1.0, 2.0]], {}),
        ([[np.nan]], [[1.0]], {}),
        ([[1.0]], [[np.inf]], {}),
        ([[1.0]], [[1.0]], {"temperature": 0}),
        ([[1.0]], [[1.0]], {"kind": "l2"}),
        ([[]], [[]], {}),
    ],
)
def test_a_loss_of_what_does_not_fit_is_refused(own, given, settings):
    with pytest.raises(InputError):
        align_distributions(own, given, **settings)
