"""Projections against their definitions, on data small enough to write the whole matrix of inner products."""

from __future__ import annotations

import itertools
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from similia.errors import InputError
from similia.index import ExactIndex
from similia.index.project import Projection, fit_leanvec, fit_pca, relative_loss
from similia.measure import cosine, dot, negative_l2

METHODS = ["id", "eigen", "frank-wolfe", "sphering"]
MEASURES = {"cosine": cosine, "dot": dot, "l2": negative_l2}


def made(n: int, wide: int, seed: int, spread: float = 1.0) -> np.ndarray:
    """Vectors with a mean, and with variances that fall from direction to direction."""
    random = np.random.default_rng(seed)
    turn = np.linalg.qr(np.random.default_rng(99).normal(size=(wide, wide)))[0]
    rows = random.normal(size=(n, wide)) * np.arange(1, wide + 1) ** -spread @ turn + np.linspace(0, 1, wide)
    return rows.astype(np.float32)


@pytest.mark.parametrize("metric", sorted(MEASURES))
@pytest.mark.parametrize("method", METHODS)
def test_nothing_is_lost_at_full_length(method: str, metric: str) -> None:
    items, queries = made(300, 6, 0), made(200, 6, 1, spread=0.3)
    projection = fit_leanvec(items, 6, queries, method=method, metric=metric)
    found = projection.scores(
        projection.queries(queries),
        projection.items(items),
        squares=projection.squares(items) if metric == "l2" else None,
        offsets=projection.offsets(queries),
    )
    if method != "frank-wolfe":  # its maps are orthonormal only in the limit
        np.testing.assert_allclose(found, MEASURES[metric](queries, items), atol=2e-4)
    assert relative_loss(projection, items, queries) < 1e-4


@pytest.mark.parametrize("metric", sorted(MEASURES))
def test_scores_without_offsets_order_items_alike(metric: str) -> None:
    items, queries = made(300, 8, 0), made(20, 8, 1)
    projection = fit_pca(items, 4, metric=metric)
    squares = projection.squares(items) if metric == "l2" else None
    parts = projection.queries(queries), projection.items(items)
    bare = projection.scores(*parts, squares=squares)
    whole = projection.scores(*parts, squares=squares, offsets=projection.offsets(queries))
    for row, other in zip(bare, whole, strict=True):
        assert np.all(np.diff(other[np.argsort(-row, kind="stable")]) <= 1e-6)


def test_l2_needs_the_original_squares() -> None:
    """Distances in the short space are not those of the long one: what was cut off counts."""
    items = np.array([[0, 0, 3], [1, 0, 0], [2, 0, 0], [-3, 0, 0]], np.float32)
    axis = np.array([[1.0], [0.0], [0.0]])
    projection = Projection(axis, axis, np.zeros(3), "l2")
    query = np.zeros((1, 3), np.float32)
    scores = projection.scores(projection.queries(query), projection.items(items), squares=projection.squares(items))
    assert np.argsort(-scores[0], kind="stable").tolist()[:2] == [1, 2]
    with pytest.raises(InputError, match="squares of the items"):
        projection.scores(projection.queries(query), projection.items(items))


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000), d=st.integers(1, 7), metric=st.sampled_from(sorted(MEASURES)))
def test_the_loss_is_that_of_the_matrix_of_inner_products(seed: int, d: int, metric: str) -> None:
    items, queries = made(40, 7, seed), made(30, 7, seed + 1, spread=0)
    projection = fit_leanvec(items, d, queries, method="eigen", metric=metric)
    left, right = queries.astype(float), items.astype(float)
    if metric == "cosine":
        left, right = (rows / np.linalg.norm(rows, axis=1, keepdims=True) for rows in (left, right))
    right = right - projection.mean
    left = left - projection.mean if metric == "l2" else left
    whole = left @ right.T
    error = left @ projection.query_map.astype(float) @ projection.item_map.T.astype(float) @ right.T - whole
    expected = (error**2).sum() / (whole**2).sum()
    assert relative_loss(projection, items, queries) == pytest.approx(expected, rel=1e-4, abs=1e-9)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10_000), d=st.integers(1, 9))
def test_a_freer_map_loses_less_on_what_it_was_fitted_on(seed: int, d: int) -> None:
    items, queries = made(200, 10, seed), made(100, 10, seed + 1, spread=-0.5)
    losses = [
        relative_loss(fit_leanvec(items, d, queries, method=m, metric="dot", shrink=0), items, queries)
        for m in ("sphering", "frank-wolfe", "eigen", "id")
    ]
    assert all(a <= b + 1e-6 for a, b in itertools.pairwise(losses)), losses


def test_pca_is_the_best_map_for_the_items_themselves() -> None:
    items = made(500, 8, 3)
    projection = fit_pca(items, 3, metric="dot")
    centred = items.astype(float) - items.mean(axis=0)
    left, sizes, right = np.linalg.svd(centred, full_matrices=False)
    best = left[:, :3] * sizes[:3] @ right[:3]
    np.testing.assert_allclose(projection.items(items) @ projection.item_map.T, best, atol=1e-4)
    np.testing.assert_allclose(projection.mean, items.mean(axis=0), atol=1e-5)
    np.testing.assert_allclose(projection.item_map.T @ projection.item_map, np.eye(3), atol=1e-6)


def test_queries_decide_what_is_kept() -> None:
    """Queries ask for what hardly varies among the items."""
    items = made(2_000, 16, 0, spread=0.5)
    axes = np.linalg.eigh(np.cov(items.T))[1]
    queries = (np.random.default_rng(5).normal(size=(2_100, 4)) @ axes[:, :4].T).astype(np.float32)
    train, test = queries[:2_000], queries[2_000:]
    truth = ExactIndex(items, metric="dot").search(test, 10).ids

    def recall(method: str) -> float:
        projection = fit_leanvec(items, 4, train, method=method, metric="dot")
        found = ExactIndex(projection.items(items), metric="dot").search(projection.queries(test), 10).ids
        return float(np.mean([len({*a} & {*b}) / 10 for a, b in zip(found.tolist(), truth.tolist(), strict=True)]))

    assert recall("id") < 0.3
    assert recall("sphering") > 0.9
    assert recall("eigen") > 0.9


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("kind", ["copies", "line", "zeros"])
def test_fewer_directions_than_asked_for_warn_and_stay_finite(method: str, kind: str) -> None:
    base = {
        "copies": np.tile(made(2, 5, 0), (20, 1)),
        "line": np.outer(np.arange(1, 30.0), [1, 2, 3, 4, 5]),
        "zeros": np.zeros((9, 5)),
    }[kind].astype(np.float32)
    with pytest.warns(RuntimeWarning, match="and 3 were asked for"):
        projection = fit_leanvec(base, 3, made(20, 5, 1), method=method, metric="dot")
    assert all(np.isfinite(part).all() for part in (projection.item_map, projection.query_map, projection.mean))
    assert np.isfinite(projection.items(base)).all()
    if kind != "zeros":
        found = projection.scores(projection.queries(base), projection.items(base), offsets=projection.offsets(base))
        np.testing.assert_allclose(found, base @ base.T, rtol=1e-3, atol=1e-2)


def test_items_and_queries_vary_alike_after_sphering() -> None:
    items, queries = made(4_000, 8, 0), made(4_000, 8, 1, spread=-0.5)
    projection = fit_leanvec(items, 5, queries, metric="dot", shrink=0)
    left, right = projection.queries(queries).astype(float), projection.items(items).astype(float)
    left, right = (rows.T @ rows / len(rows) for rows in (left, right))
    left, right = left / np.trace(left), right / np.trace(right)
    np.testing.assert_allclose(left, right, atol=1e-3)
    np.testing.assert_allclose(left, np.diag(np.diag(left)), atol=1e-3)


@pytest.mark.parametrize("metric", sorted(MEASURES))
def test_turning_changes_no_score_and_spreads_what_varies(metric: str) -> None:
    items, queries = made(500, 12, 0), made(40, 12, 1)
    plain = fit_leanvec(items, 8, queries, metric=metric)
    turned, again, other = plain.rotated(3), plain.rotated(3), plain.rotated(4)
    np.testing.assert_array_equal(turned.item_map, again.item_map)
    assert not np.array_equal(turned.item_map, other.item_map)
    squares = plain.squares(items) if metric == "l2" else None
    found = [p.scores(p.queries(queries), p.items(items), squares=squares) for p in (plain, turned)]
    np.testing.assert_allclose(found[0], found[1], atol=1e-4)
    spread = [p.items(items).std(axis=0) for p in (plain, turned)]
    assert spread[1].max() / spread[1].min() < spread[0].max() / spread[0].min()


def test_bad_input_is_refused() -> None:
    items = made(20, 5, 0)
    for d in (0, 6, 2.5, True):
        with pytest.raises(InputError, match="whole number from 1 to 5"):
            fit_pca(items, d)
    with pytest.raises(InputError, match="at least one vector"):
        fit_pca(np.empty((0, 5), np.float32), 2)
    spoilt = items.copy()
    spoilt[3, 1] = np.nan
    for fit in (fit_pca, fit_leanvec):
        with pytest.raises(InputError, match="NaN or infinity"):
            fit(spoilt, 2)
    with pytest.raises(InputError, match="NaN or infinity"):
        fit_leanvec(items, 2, spoilt)
    with pytest.raises(InputError, match="5 are needed"):
        fit_leanvec(items, 2, made(9, 4, 0))
    with pytest.raises(InputError, match="5 are needed"):
        fit_pca(items, 2).items(made(9, 4, 0))
    with pytest.raises(InputError, match="method 'pca' is unknown"):
        fit_leanvec(items, 2, method="pca")
    with pytest.raises(InputError, match="shrink"):
        fit_leanvec(items, 2, shrink=2)
    with pytest.raises(InputError, match="metric"):
        fit_pca(items, 2, metric="euclid")
    with pytest.raises(InputError, match="do not fit"):
        Projection(np.eye(3), np.eye(3)[:, :2], np.zeros(3))
    with pytest.raises(InputError, match="vectors: 4 dimensions, but 5"):
        relative_loss(fit_pca(items, 2), made(9, 4, 0), items)


def test_memory_maps_of_float16_and_samples(tmp_path) -> None:
    items = made(400, 6, 0).astype(np.float16)
    np.save(tmp_path / "items.npy", items)
    mapped = np.load(tmp_path / "items.npy", mmap_mode="r")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        whole, part, again = (fit_pca(mapped, 3, sample=s, seed=7) for s in (1000, 100, 100))
    np.testing.assert_array_equal(part.item_map, again.item_map)
    assert not np.array_equal(whole.item_map, part.item_map)
    np.testing.assert_allclose(whole.items(mapped), whole.items(items.astype(np.float32)), atol=1e-6)
    assert whole.squares(mapped).shape == (400,)
    assert (whole.wide, whole.dimension) == (6, 3)
