"""Composed queries: the fusions by hand and against their formulas, one search against brute force."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from similia.errors import InputError
from similia.index import ExactIndex
from similia.measure import normalise
from similia.rank.composed_search import search_composed
from similia.rank.composing import ComposedQuery, How, ScoreRange, compose
from similia.rank.enriching import contextualise, expand
from similia.types import Float32, Hits

HOWS: tuple[How, ...] = ("sum", "product", "harris", "min")


def some(seed: int, *shape: int) -> Float32:
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


# -- fusion


def test_harris_asks_for_both() -> None:
    alone, even = compose([[1.0, 0.5], [0.0, 0.5]], how="harris")
    assert alone < even  # (1, 0) and (.5, .5), from the card
    assert alone == pytest.approx(-0.1)
    assert even == pytest.approx(0.25 - 0.1)
    # Among items that fail one part, the larger similarity ranks lower.
    better, worse = compose([[0.9, 0.4], [0.0, 0.0]], how="harris")
    assert better < worse


@given(st.integers(0, 9_999), st.floats(0, 0.24))
def test_two_equal_parts_are_fused_as_published(seed: int, strength: float) -> None:
    a, b = some(seed, 2, 3, 7).astype(np.float64)
    x, y = np.maximum(a, 0), np.maximum(b, 0)
    np.testing.assert_allclose(compose([a, b], how="sum"), (a + b) / 2, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(compose([a, b], how="product"), x * y, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(compose([a, b], how="min"), np.minimum(x, y), rtol=1e-5, atol=1e-6)
    expected = x * y - strength * (x + y) ** 2
    np.testing.assert_allclose(compose([a, b], how="harris", strength=strength), expected, rtol=1e-4, atol=1e-5)
    ranges = [ScoreRange(-0.5, 0.5), ScoreRange(-0.2, 0.4)]
    x, y = np.maximum((a + 0.5) / 0.5, 0), np.maximum((b + 0.2) / 0.4, 0)
    np.testing.assert_allclose(compose([a, b], how="product", ranges=ranges), x * y, rtol=1e-5, atol=1e-6)


@given(st.integers(0, 9_999), st.integers(1, 4), st.sampled_from(HOWS), st.floats(0.1, 9))
def test_what_a_fusion_must_do(seed: int, parts: int, how: How, scale: float) -> None:
    random = np.random.default_rng(seed)
    scores = random.uniform(0, 1, (parts, 2, 6))
    weights = random.uniform(0.2, 2, parts) * np.where(np.arange(parts) % 3 == 2, -1, 1)
    fused = compose(scores, weights, how=how)
    assert fused.dtype == np.float32
    assert fused.shape == (2, 6)
    order = random.permutation(6)
    np.testing.assert_array_equal(compose(scores[:, :, order], weights, how=how), fused[:, order])
    turn = random.permutation(parts)
    np.testing.assert_allclose(compose(scores[turn], weights[turn], how=how), fused, rtol=1e-4, atol=1e-5)
    # Weights count by their proportions alone.
    np.testing.assert_allclose(compose(scores, scale * weights, how=how), fused, rtol=1e-4, atol=1e-5)
    # One scale for all changes no order.
    degree = 1 if how in ("sum", "min") else max(1, int((weights > 0).sum()))
    np.testing.assert_allclose(compose(scale * scores, weights, how=how), scale**degree * fused, rtol=1e-3, atol=1e-4)
    one = [row[0] for row in scores]
    np.testing.assert_array_equal(compose(one, weights, how=how), fused[0])
    # More of what is not wanted is never better; more of all that is wanted, by one factor, is never worse.
    for part in np.flatnonzero(weights < 0):
        more = scores.copy()
        more[part] += 0.1
        assert (compose(more, weights, how=how) < fused).all()


@given(st.integers(0, 9_999), st.sampled_from(HOWS))
def test_a_missing_part_leaves_the_others(seed: int, how: How) -> None:
    a, b = np.abs(some(seed, 2, 1, 5))
    np.testing.assert_array_equal(compose([a, None, b], [1, 2, 3], how=how), compose([a, b], [1, 3], how=how))
    np.testing.assert_allclose(compose([None, b], how=how), b, rtol=1e-6)
    ranges = [ScoreRange(0.1, 1), ScoreRange(0.2, 2), ScoreRange(0.3, 3)]
    np.testing.assert_array_equal(
        compose([a, None, b], how=how, ranges=ranges), compose([a, b], how=how, ranges=[ranges[0], ranges[2]])
    )


def test_an_item_without_a_score_comes_last() -> None:
    fused = compose([[-np.inf, 0.2], [0.9, 0.3]], how="product")
    assert fused[0] == 0 < fused[1]
    assert compose([[-np.inf, 0.2], [0.9, 0.3]], how="sum")[0] == -np.inf
    assert compose([np.empty((2, 0)), np.empty((2, 0))]).shape == (2, 0)


def test_negatives_by_hand() -> None:
    # 0.5 * 0.4 - (1/2) * 0.6^2, with the weights above 0 summing to 2
    assert compose([[0.5], [0.4], [0.6]], [1, 1, -1], how="product")[0] == pytest.approx(0.2 - 0.18)
    assert compose([[0.5], [0.4], [0.6]], [1, 1, -1], how="min")[0] == pytest.approx(0.4 - 0.3)


def test_scores_that_cannot_be_fused_are_refused() -> None:
    a = [0.1, 0.2]
    for arguments in (
        {"scores": []},
        {"scores": [None]},
        {"scores": [a, [0.1]]},
        {"scores": [a, [float("nan"), 1]]},
        {"scores": [a, [float("inf"), 1]]},
        {"scores": [0.5]},
        {"scores": [a], "weights": [-1]},
        {"scores": [a, None], "weights": [-1, 1]},
        {"scores": [a, a], "weights": [1]},
        {"scores": [a, a], "weights": [1, 0]},
        {"scores": [a, a], "weights": [1, float("nan")]},
        {"scores": [a, a], "how": "and"},
        {"scores": [a, a], "ranges": [ScoreRange(0, 1)]},
        {"scores": [a, a], "strength": 0.25},
    ):
        with pytest.raises(InputError):
            compose(**arguments)  # type: ignore[arg-type]


# -- ranges


@given(st.integers(0, 9_999))
def test_ranges_as_published_and_by_percentiles(seed: int) -> None:
    bank = some(seed, 4, 9) - 0.3
    found = ScoreRange.fit(bank)
    assert found.low == pytest.approx(bank.min())
    assert found.apply(bank.min()) == pytest.approx(0, abs=1e-6)
    assert found.apply(0.0) == pytest.approx(1 if bank.min() < 0 else 0)
    robust = ScoreRange.fit(bank, low=10, high=90)
    np.testing.assert_allclose(robust.apply(np.percentile(bank, [10, 50, 90]))[[0, 2]], [0, 1], atol=1e-6)
    assert (found.apply(some(seed + 1, 3, 2)) >= 0).all()


def test_a_range_of_zero_is_refused() -> None:
    for bank, high in (([0.0, 0.5], None), ([0.3, 0.3], 100.0), ([], None), ([float("nan")], None)):
        with pytest.raises(InputError):
            ScoreRange.fit(bank, high=high)
    for low, scale in ((0.0, 0.0), (0.0, -1.0), (float("nan"), 1.0), (0.0, float("inf"))):
        with pytest.raises(InputError):
            ScoreRange(low, scale)
    with pytest.raises(InputError, match="percentile"):
        ScoreRange.fit([-1, 1], low=101)


# -- one vector


@given(st.integers(0, 9_999), st.integers(1, 5))
def test_the_vector_is_the_sum_of_unit_vectors(seed: int, parts: int) -> None:
    random = np.random.default_rng(seed)
    vectors, weights = some(seed, parts, 6), random.uniform(0.5, 2, parts)
    query = ComposedQuery(list(zip(vectors, weights.tolist(), strict=True)))
    total = (weights[:, None] * vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).sum(axis=0)
    np.testing.assert_allclose(query.vector(), total / np.linalg.norm(total), atol=1e-4)
    scaled = ComposedQuery([(7 * vector, 3 * weight) for vector, weight in zip(vectors, weights.tolist(), strict=True)])
    np.testing.assert_allclose(scaled.vector(), query.vector(), atol=1e-5)


def test_negative_examples_push_away() -> None:
    query = ComposedQuery([([1, 0.2], 1), ([0, 1], -0.5)])
    assert query.vector() @ [0, 1] < normalise([1, 0.2])[0] @ [0, 1]


def test_parts_that_make_no_query_are_refused() -> None:
    for parts in (
        [],
        [(None, 1)],
        [([0, 0], 1)],
        [([1, 0], -1)],
        [([1, 0], 1), ([1, 0, 0], 1)],
        [([1, 0], 0)],
        [([1, 0], float("nan"))],
        [([[1, 0], [0, 1]], 1)],
        [([1, float("nan")], 1)],
    ):
        with pytest.raises(InputError):
            ComposedQuery(parts)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="cancel each other out"):
        ComposedQuery([([1, 0], 1), ([1, 0], -1)]).vector()


# -- a search


@given(st.integers(0, 9_999), st.sampled_from(HOWS), st.booleans())
def test_with_a_pool_of_all_it_is_brute_force(seed: int, how: How, bank: bool) -> None:
    items, parts = some(seed, 30, 5), some(seed + 1, 3, 5)
    index = ExactIndex(items, ids=np.arange(30) * 3 + 1)
    query = ComposedQuery([(parts[0], 1), (parts[1], 2), (parts[2], -0.5)])
    ranges = [ScoreRange(-0.5, 1), ScoreRange(-0.4, 0.5), ScoreRange(-0.3, 1)] if bank else None
    found = search_composed(query, index.search, lambda ids: items[ids // 3], 7, how=how, ranges=ranges, pool=30)
    cosines = (normalise(parts) @ normalise(items).T).astype(np.float64)
    own = ranges or (None if how == "sum" else [ScoreRange(row.min(), np.ptp(row)) for row in cosines])
    expected = compose(cosines, [1, 2, -0.5], how=how, ranges=own)
    np.testing.assert_allclose(found.hits.scores[0], np.sort(expected)[::-1][:7], rtol=1e-3, atol=1e-4)
    np.testing.assert_allclose(found.cosines, cosines[:, found.hits.ids[0] // 3], atol=1e-5)
    assert found.missing == ()


@given(st.integers(0, 9_999), st.integers(1, 6))
def test_a_sum_is_the_search_for_the_summed_vector(seed: int, k: int) -> None:
    items, parts = some(seed, 40, 6), some(seed + 1, 2, 6)
    index = ExactIndex(items)
    query = ComposedQuery([(parts[0], 1), (parts[1], -0.3)])
    found = search_composed(query, index.search, lambda ids: items[ids], k, pool=k)
    by_vector = index.search(query.vector(), k)
    assert found.ranges == ()
    # Scores differ by one factor, the length of the sum, and by rounding.
    length = np.linalg.norm(query.weights @ query.vectors) / query.weights[query.weights > 0].sum()
    np.testing.assert_allclose(found.hits.scores, length * by_vector.scores, rtol=1e-3, atol=1e-5)


def test_a_search_with_a_missing_part_says_so() -> None:
    items = np.eye(3, dtype=np.float32)
    index = ExactIndex(items)
    query = ComposedQuery([(None, 1), ([1, 1, 0], 1), ([0, 0, 0], 1)])
    found = search_composed(query, index.search, lambda ids: items[ids], 5, pool=5)
    assert found.missing == (0, 2)
    assert found.hits.ids[0].tolist() == [0, 1, 2, -1, -1]
    assert found.hits.scores[0, 3] == -np.inf
    assert found.cosines.shape == (1, 5)
    assert np.isneginf(found.cosines[0, 3:]).all()


def test_parts_that_cancel_out_still_have_neighbours() -> None:
    items = some(0, 20, 4)
    index = ExactIndex(items)
    query = ComposedQuery([([1, 0, 0, 0], 1), ([-1, 0, 0, 0], 1)])
    assert (search_composed(query, index.search, lambda ids: items[ids], 3, how="sum").hits.ids >= 0).all()


def test_an_empty_index_and_bad_numbers() -> None:
    query = ComposedQuery([([1, 0], 1)])

    def nothing(vectors: Float32, k: int) -> Hits:
        return Hits.empty(len(vectors), k)

    found = search_composed(query, nothing, lambda ids: np.empty((0, 2)), 2)
    assert found.hits.ids.tolist() == [[-1, -1]]
    for arguments in ({"k": 0}, {"k": 5, "pool": 4}, {"k": 1, "ranges": []}):
        with pytest.raises(InputError):
            search_composed(query, nothing, lambda ids: np.empty((0, 2)), **arguments)  # type: ignore[arg-type]


# -- query vectors made better


def test_contexts_are_averaged() -> None:
    said: list[list[str]] = []

    def encode(texts: list[str]) -> Float32:
        said.append(texts)
        return np.array([[len(text), 1 + text.startswith("a")] for text in texts], np.float32)

    found = contextualise(encode, ["x", "yy"], ["a", "bcd"])
    assert said == [["a x", "x a", "bcd x", "x bcd", "a yy", "yy a", "bcd yy", "yy bcd"]]
    by_hand = normalise(normalise([[3, 2], [3, 1], [5, 1], [5, 1]]).mean(axis=0))[0]
    np.testing.assert_allclose(found[0], by_hand, atol=1e-6)
    np.testing.assert_allclose(contextualise(encode, ["x"], []), normalise(encode(["x"])), atol=1e-6)
    assert contextualise(encode, [], ["a"]).shape == (0, 0)
    with pytest.raises(InputError):
        contextualise(encode, "x", ["a"])
    with pytest.raises(InputError):
        contextualise(lambda texts: np.ones((1, 2)), ["x"], ["a"])


@given(st.integers(0, 9_999), st.integers(1, 9))
def test_expansion_is_a_weighted_mean(seed: int, k: int) -> None:
    queries, items = some(seed, 2, 3), some(seed + 1, 6, 3)
    scores = queries @ items.T
    found = expand(queries, items, scores, k=k, sharpness=0.7)
    for row in range(2):
        best = np.argsort(-scores[row], kind="stable")[:k]
        weights = np.exp(0.7 * np.append(scores[row, best], 1))
        expected = (weights / weights.sum()) @ np.concatenate([items[best], queries[row : row + 1]])
        np.testing.assert_allclose(found[row], expected, rtol=1e-3, atol=1e-4)


def test_expansion_refuses_what_does_not_fit() -> None:
    q, x = some(0, 2, 3), some(1, 4, 3)
    np.testing.assert_array_equal(expand(q, x[:0], np.empty((2, 0))), q)
    for arguments in (
        {"items": x[:, :2], "scores": q @ x.T},
        {"items": x, "scores": np.ones((2, 3))},
        {"items": x, "scores": np.full((2, 4), np.nan)},
        {"items": x, "scores": q @ x.T, "k": 0},
        {"items": x, "scores": q @ x.T, "sharpness": float("inf")},
    ):
        with pytest.raises(InputError):
            expand(q, **arguments)  # type: ignore[arg-type]
