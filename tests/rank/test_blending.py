"""The blend of meaning and words against the formula written out, item by item."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from similia.errors import InputError
from similia.rank import Background, blend, steepness
from similia.types import Hits


def hits(*rows: list[tuple[int, float]]) -> Hits:
    """Hits from (id, score) lists, best first."""
    k = max([len(row) for row in rows], default=0)
    rows = tuple(sorted(row, key=lambda pair: -pair[1]) for row in rows)
    ids = [[item for item, _ in row] + [-1] * (k - len(row)) for row in rows]
    scores = [[score for _, score in row] + [-np.inf] * (k - len(row)) for row in rows]
    return Hits(np.array(ids, np.int64).reshape(len(rows), k), np.array(scores, np.float64).reshape(len(rows), k))


def view(low: float, high: float) -> st.SearchStrategy[list[tuple[int, float]]]:
    found = st.dictionaries(st.integers(0, 12), st.floats(low, high, width=32), max_size=12)
    return found.map(lambda scores: list(scores.items()))


def written_out(dense, text, mean, deviation, depth):
    """The score of each item, as the docstring has it."""
    dense, text = dict(dense), dict(text)
    meaning = {item: (score - mean) / deviation / 5 if deviation else 0.0 for item, score in dense.items()}
    ranked = sorted(text.values(), reverse=True)
    low, high = (ranked[min(depth, len(ranked)) - 1], ranked[0]) if ranked else (0.0, 0.0)
    words = {item: (score - low) / (high - low) if high > low else 1.0 for item, score in text.items()}
    best = sorted(words.values(), reverse=True)[:10]
    steep = (best[0] - sum(best[1:]) / 9) if best else 0.0
    weights = [1 / (1.3 + steep), (0.3 + steep) / (1.3 + steep)]
    if not dense or not text:
        weights = [float(bool(dense)), float(bool(text))]
    last = [min(part.values(), default=0.0) for part in (meaning, words)]
    return {
        item: weights[0] * meaning.get(item, last[0]) + weights[1] * words.get(item, last[1])
        for item in {*dense, *text}
    }, weights


@settings(deadline=None, max_examples=300)
@given(
    queries=st.lists(st.tuples(view(-1, 1), view(0, 20)), max_size=3),
    mean=st.floats(-0.2, 0.4),
    deviation=st.sampled_from([0.0, 0.05, 0.2]),
    depth=st.integers(2, 12),
)
def test_equals_the_formula(queries, mean, deviation, depth):
    count = len(queries)
    found = blend(
        hits(*(dense for dense, _ in queries)),
        hits(*(text for _, text in queries)),
        30,
        mean=[mean] * count,
        deviation=[deviation] * count,
        depth=depth,
    )
    for row, (dense, text) in enumerate(queries):
        expected, weights = written_out(dense, text, mean, deviation, depth)
        ids, scores = next(iter(Hits(found.hits.ids[row : row + 1], found.hits.scores[row : row + 1])))
        assert set(ids.tolist()) == set(expected)
        assert (np.diff(scores) <= 0).all()
        for item, score in zip(ids.tolist(), scores.tolist(), strict=True):
            assert math.isclose(score, expected[item], rel_tol=1e-3, abs_tol=1e-3)
        if dense or text:
            np.testing.assert_allclose(found.weights[row], weights, rtol=1e-4, atol=1e-6)


def test_words_that_single_out_one_item_weigh_more():
    dense = hits([(item, 0.5 - 0.01 * item) for item in range(20)])
    sharp = hits([(7, 20.0), *((item, 1.0 + 0.001 * item) for item in range(8, 20))])
    flat = hits([(7, 20.0), *((item, 19.0 - 0.1 * item) for item in range(8, 20))])
    background = {"mean": [0.1], "deviation": [0.1]}
    assert blend(dense, sharp, 5, **background).weights[0, 1] > blend(dense, flat, 5, **background).weights[0, 1] + 0.04


def test_one_view_alone_keeps_its_order():
    dense, none = hits([(3, 0.9), (1, 0.5), (2, 0.1)]), Hits.empty(1, 4)
    for views in ((dense, none), (none, dense)):
        found = blend(*views, 5, mean=[0.0], deviation=[0.2])
        assert found.hits.ids[0].tolist() == [3, 1, 2, -1, -1]
    assert blend(none, none, 2, mean=[0.0], deviation=[0.2]).hits.ids.tolist() == [[-1, -1]]
    assert blend(Hits.empty(1, 0), Hits.empty(1, 0), 2, mean=[0.0], deviation=[1.0]).hits.ids.tolist() == [[-1, -1]]


def test_the_background_is_that_of_all_items():
    random = np.random.default_rng(0)
    vectors, queries = random.normal(size=(300, 8)), random.normal(size=(5, 8))
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    asked = queries / np.linalg.norm(queries, axis=1, keepdims=True)
    mean, deviation = Background.of(vectors).scores(queries)
    np.testing.assert_allclose(mean, (asked @ unit.T).mean(axis=1), atol=1e-6)
    np.testing.assert_allclose(deviation, (asked @ unit.T).std(axis=1), atol=1e-6)
    many = random.normal(size=(20_000, 8)) + 0.5
    whole = many / np.linalg.norm(many, axis=1, keepdims=True)
    mean, deviation = Background.of(many).scores(queries)
    np.testing.assert_allclose(mean, (asked @ whole.T).mean(axis=1), atol=0.05)
    np.testing.assert_allclose(deviation, (asked @ whole.T).std(axis=1), atol=0.03)
    assert all(
        np.array_equal(Background.of(many).scores(one)[part][0], Background.of(many).scores(queries)[part][place])
        or abs(Background.of(many).scores(one)[part][0] - Background.of(many).scores(queries)[part][place]) < 1e-14
        for place, one in enumerate(queries)
        for part in (0, 1)
    )
    nothing = Background.of(np.empty((0, 8))).scores(queries[:1])
    assert [part.round(6).tolist() for part in nothing] == [[0.0], [1.0]]


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"mean": [0.0, 0.0]}, "mean is"),
        ({"mean": [math.nan]}, "mean is"),
        ({"deviation": [-0.1]}, "deviation is"),
        ({"depth": 0}, "at least 1"),
        ({"text": hits([(1, 1.0)], [(1, 1.0)])}, "both need the same"),
    ],
)
def test_what_does_not_fit_is_refused(changed, said):
    given_ = {"dense": hits([(1, 0.5)]), "text": hits([(1, 1.0)]), "mean": [0.0], "deviation": [0.1], **changed}
    with pytest.raises(InputError, match=said):
        blend(given_.pop("dense"), given_.pop("text"), 3, **given_)


def test_steepness_of_nothing_is_nothing():
    assert steepness(Hits.empty(2, 3)).tolist() == [0.0, 0.0]
