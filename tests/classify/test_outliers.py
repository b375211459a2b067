"""The local outlier factor against scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest

from similia.classify import inliers, local_outlier_factor
from similia.errors import InputError


@pytest.mark.parametrize(("count", "dimension", "neighbours"), [(60, 3, 20), (25, 8, 5), (8, 2, 20), (300, 384, 20)])
def test_agrees_with_scikit_learn(count: int, dimension: int, neighbours: int) -> None:
    from sklearn.neighbors import LocalOutlierFactor

    points = np.random.default_rng(count).normal(size=(count, dimension)).astype(np.float32)
    points[0] += 6
    oracle = LocalOutlierFactor(n_neighbors=min(neighbours, count - 1))
    kept = oracle.fit_predict(points.astype(np.float64)) == 1
    np.testing.assert_allclose(
        local_outlier_factor(points, neighbours), -oracle.negative_outlier_factor_, rtol=1e-5, atol=1e-7
    )
    assert (inliers(points, neighbours) == kept).all()
    if neighbours < count / 2:
        assert not inliers(points, neighbours)[0]


def test_blocks_do_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    points = np.random.default_rng(0).normal(size=(90, 4)).astype(np.float32)
    whole = local_outlier_factor(points)
    monkeypatch.setattr("similia.classify.outliers.BLOCK", 90 * 7)
    np.testing.assert_allclose(local_outlier_factor(points), whole, rtol=1e-12)


def test_edges() -> None:
    assert local_outlier_factor(np.zeros((1, 3), np.float32)).tolist() == [1.0]
    assert np.allclose(local_outlier_factor(np.ones((5, 3), np.float32)), 1.0)
    with pytest.raises(InputError, match="neighbours is 0"):
        local_outlier_factor(np.zeros((3, 3), np.float32), 0)
