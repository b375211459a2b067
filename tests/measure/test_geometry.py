"""The geometry of sets of vectors, against loops, scikit-learn and worked examples."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from similia.errors import InputError
from similia.measure import geometry
from similia.measure.geometry import (
    davies_bouldin,
    local_dimension,
    neighbour_distances,
    norm_variation,
    relative_angle,
    relative_contrast,
)


def points_of(seed, n, d, *, offset=0.0, duplicates=0):
    random = np.random.default_rng(seed)
    points = (random.normal(size=(n, d)) + offset).astype(np.float32)
    points[:duplicates] = points[-1]
    return points


def distances_of(points, *, cosine=False):
    points = points.astype(np.float64)
    if cosine:
        points = points / np.linalg.norm(points, axis=1, keepdims=True)
    return np.sqrt(((points[:, None] - points[None]) ** 2).sum(axis=2))


def test_local_dimension_by_hand() -> None:
    # ln(1/4) + ln(2/4) + ln(4/4) = -3 ln 2, so the mean is -ln 2
    assert local_dimension([1, 2, 4])[0] == pytest.approx(1 / math.log(2))
    assert local_dimension([[4, 1, 2]])[0] == pytest.approx(1 / math.log(2))
    # duplicates are left out
    assert local_dimension([[0, 0, 1, 2, 4]])[0] == pytest.approx(1 / math.log(2))
    undefined = local_dimension([[0, 0, 0], [0, 0, 5], [3, 3, 3]])
    assert np.isnan(undefined).all()


def test_local_dimension_of_uniform_balls() -> None:
    # In d dimensions the distance is distributed as u ** (1 / d)
    random = np.random.default_rng(0)
    for d in (1, 3, 10, 50):
        found = local_dimension(random.random((400, 200)) ** (1 / d))
        assert found.mean() == pytest.approx(d, rel=0.05)


@settings(deadline=None, max_examples=40)
@given(
    st.integers(0, 99),
    st.integers(3, 40),
    st.integers(1, 6),
    st.sampled_from([0.0, 1000.0]),
    st.integers(0, 3),
    st.booleans(),
)
def test_neighbours_and_contrast_are_those_of_a_loop(seed, n, d, offset, duplicates, cosine) -> None:
    points = points_of(seed, n, d, offset=offset, duplicates=min(duplicates, n - 1))
    metric = "cosine" if cosine else "l2"
    every = distances_of(points, cosine=cosine)
    np.fill_diagonal(every, np.inf)
    k = max(1, n // 2)
    rows = np.arange(0, n, 2)
    found = neighbour_distances(points, k, metric=metric, rows=rows)
    np.testing.assert_allclose(found, np.sort(every, axis=1)[rows, :k], rtol=1e-5, atol=1e-9)
    np.fill_diagonal(every, 0)
    wide = every.max() > 1e-3
    ratios = [row[row > 0].mean() / row[row > 0].min() for row in every if (row > 0).any()]
    if ratios and wide:
        assert relative_contrast(points, metric=metric) == pytest.approx(np.mean(ratios), rel=1e-4)


def test_blocks_do_not_change_anything(monkeypatch) -> None:
    points = points_of(1, 50, 4, duplicates=3)
    whole = neighbour_distances(points, 7), relative_contrast(points)
    monkeypatch.setattr(geometry, "_VALUES", 60)
    np.testing.assert_allclose(neighbour_distances(points, 7), whole[0], rtol=1e-12)
    assert relative_contrast(points) == pytest.approx(whole[1], rel=1e-12)


def test_duplicates_are_exactly_no_distance_apart() -> None:
    points = points_of(2, 30, 5, offset=3000, duplicates=4)
    assert (neighbour_distances(points, 4)[:4] == 0).all()
    assert np.isfinite(relative_contrast(points))
    same = np.ones((5, 3), np.float32)
    assert (neighbour_distances(same, 4) == 0).all()
    assert np.isnan(local_dimension(neighbour_distances(same, 4))).all()
    assert math.isnan(relative_contrast(same))
    assert math.isnan(relative_contrast(same[:1]))


def test_angles_by_hand() -> None:
    assert relative_angle([[1, 0], [0, 1]]) == pytest.approx(45)
    assert relative_angle([[1, 0], [0, 1], [0, 0]]) == pytest.approx(45)
    assert relative_angle([[2, 2], [5, 5]]) == pytest.approx(0, abs=1e-6)
    assert relative_angle([[1, 1e-6], [1, -1e-6]]) == pytest.approx(math.degrees(1e-6), rel=1e-3)
    assert math.isnan(relative_angle([[1, 0], [-1, 0]]))
    assert math.isnan(relative_angle([[0, 0], [0, 0]]))
    assert relative_angle(points_of(0, 2000, 64)) > 80
    assert relative_angle(points_of(0, 200, 64, offset=100)) < 1


def test_angles_are_those_of_the_definition() -> None:
    points = points_of(3, 60, 7, offset=0.3).astype(np.float64)
    mean = points.mean(axis=0)
    cosines = points @ mean / np.linalg.norm(points, axis=1) / np.linalg.norm(mean)
    assert relative_angle(points) == pytest.approx(np.degrees(np.arccos(cosines)).mean(), rel=1e-6)


def test_variation_of_norms_by_hand() -> None:
    assert norm_variation([[3, 4], [0, 5]]) == 0
    assert norm_variation([[1, 0], [0, 3]]) == 0.5
    assert math.isnan(norm_variation([[0, 0]]))


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 99), st.integers(2, 5), st.integers(2, 6), st.sampled_from([0.0, 10.0]))
def test_separation_is_that_of_scikit_learn(seed, classes, d, offset) -> None:
    sklearn = pytest.importorskip("sklearn.metrics")
    points = points_of(seed, 12 * classes, d, offset=offset)
    labels = np.arange(len(points)) % classes
    oracle = sklearn.davies_bouldin_score(points.astype(np.float64), labels)
    assert davies_bouldin(points, labels) == pytest.approx(oracle, rel=1e-9)
    # Under cosine distance: the definition, in loops.
    unit = points.astype(np.float64) / np.linalg.norm(points.astype(np.float64), axis=1, keepdims=True)
    centres = [unit[labels == c].mean(axis=0) for c in range(classes)]
    centres = [centre / np.linalg.norm(centre) for centre in centres]
    spread = [(1 - unit[labels == c] @ centres[c]).mean() for c in range(classes)]
    if min(1 - centres[i] @ centres[j] for i in range(classes) for j in range(i)) < 1e-6:
        return
    worst = [
        max((spread[i] + spread[j]) / (1 - centres[i] @ centres[j]) for j in range(classes) if j != i)
        for i in range(classes)
    ]
    assert davies_bouldin(points, labels, metric="cosine") == pytest.approx(np.mean(worst), rel=1e-9)


def test_separation_by_hand() -> None:
    # centres 1 and 11, both at mean distance 1
    assert davies_bouldin([[0], [2], [10], [12]], [0, 0, 1, 1]) == pytest.approx(0.2)
    # directions 0 and 90 degrees, no spread; the zero vector has no direction
    assert davies_bouldin([[1, 0], [3, 0], [0, 2], [0, 0]], list("aabb"), metric="cosine") == 0
    # halves of a right angle: 1 - cos 45 to the centre at 45 degrees; the other class at 225
    found = davies_bouldin([[1, 0], [0, 1], [-1, -1]], list("aab"), metric="cosine")
    assert found == pytest.approx((1 - math.sqrt(0.5)) / 2)
    assert math.isnan(davies_bouldin([[1, 0], [0, 1]], [4, 4]))
    assert davies_bouldin([[0, 1], [0, -1], [1, 0], [-1, 0]], [0, 0, 1, 1]) == math.inf


def test_what_cannot_be_is_refused() -> None:
    points = points_of(0, 5, 2)
    for call, words in (
        (lambda: local_dimension([[1.0, -1.0]]), "row 0 holds a negative"),
        (lambda: local_dimension([[1.0], [np.nan]]), "row 1"),
        (lambda: local_dimension(np.empty((3, 0))), "k of at least 1"),
        (lambda: neighbour_distances(points, 5), "k is 5, and there are 5 vectors"),
        (lambda: neighbour_distances(points, 0), "k is 0"),
        (lambda: neighbour_distances(points, 1, rows=[5]), "from 0 to 4"),
        (lambda: neighbour_distances(points, 1, metric="dot"), "'dot' is unknown"),
        (lambda: relative_contrast(points, rows=[0.5]), "whole numbers"),
        (lambda: davies_bouldin(points, [1, 2]), "labels are \\(2,\\)"),
    ):
        with pytest.raises(InputError, match=words):
            call()
