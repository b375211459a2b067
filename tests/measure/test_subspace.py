"""Contrastive subspaces against their definition, NumPy and scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from similia.errors import InputError
from similia.measure.subspace import Subspace, centred, contrastive_subspace
from similia.types import Float32


def cloud(seed: int, n: int, d: int) -> Float32:
    random = np.random.default_rng(seed)
    return (random.normal(size=(n, d)) * random.uniform(0.2, 2, d)).astype(np.float32)


@pytest.mark.filterwarnings("ignore:only .* directions have a positive eigenvalue")
@given(
    seed=st.integers(0, 9_999), n=st.integers(3, 30), m=st.integers(2, 30), d=st.integers(1, 12), k=st.integers(1, 9)
)
def test_it_is_a_projection(seed: int, n: int, m: int, d: int, k: int) -> None:
    wanted, unwanted = cloud(seed, n, d), cloud(seed + 1, m, d)
    matrix = 0.8 * wanted.T @ wanted / (n - 1) - 0.2 * unwanted.T @ unwanted / (m - 1)
    assume(np.linalg.eigvalsh(matrix)[-1] > 1e-4)
    found = contrastive_subspace(wanted, unwanted, k, mean=np.zeros(d))
    p = found.projector
    np.testing.assert_allclose(p @ p, p, atol=1e-5)
    np.testing.assert_allclose(p, p.T, atol=1e-6)
    assert np.linalg.matrix_rank(p) == len(found) <= min(k, d)
    assert (found.strengths > 0).all()
    assert (np.diff(found.strengths) <= 0).all()
    x, y = cloud(seed + 2, 4, d), cloud(seed + 3, 5, d)
    np.testing.assert_allclose(found.project(x), x @ p, rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(found.project(x) @ y.T, found.project(x) @ found.project(y).T, rtol=1e-3, atol=1e-3)


def test_the_directions_are_eigenvectors_of_the_contrast() -> None:
    wanted, unwanted = cloud(0, 60, 8), cloud(1, 50, 8)
    mean = cloud(2, 1, 8)[0]
    found = contrastive_subspace(wanted, unwanted, 3, contrast=0.3, mean=mean)
    plus, minus = wanted - mean, unwanted - mean
    matrix = 0.7 * plus.T @ plus / 59 - 0.3 * minus.T @ minus / 49
    np.testing.assert_allclose(matrix @ found.axes, found.axes * found.strengths, atol=1e-4)
    greatest = np.linalg.eigvalsh(matrix)[::-1][:3]
    np.testing.assert_allclose(found.strengths, greatest, rtol=1e-4)


def test_without_contrast_they_are_principal_components() -> None:
    decomposition = pytest.importorskip("sklearn.decomposition")
    wanted = cloud(3, 80, 6)
    found = contrastive_subspace(wanted, cloud(4, 9, 6), 2, contrast=0)
    axes = decomposition.PCA(2).fit(wanted).components_
    np.testing.assert_allclose(found.projector, axes.T @ axes, atol=1e-4)


def test_the_offset_is_added_to_every_entry() -> None:
    wanted, unwanted = cloud(5, 40, 5), cloud(6, 40, 5)
    plus, minus = wanted - wanted.mean(axis=0), unwanted - wanted.mean(axis=0)
    matrix = 0.8 * plus.T @ plus / 39 - 0.2 * minus.T @ minus / 39 + 5.0
    found = contrastive_subspace(wanted, unwanted, 1, offset=5.0)
    np.testing.assert_allclose(matrix @ found.axes, found.axes * found.strengths, rtol=1e-3, atol=1e-3)


def test_fewer_directions_than_asked_for_are_said() -> None:
    wanted = np.array([[1, 0, 0], [-1, 0, 0]], np.float32)
    unwanted = np.array([[0, 1, 0], [0, -1, 0]], np.float32)
    with pytest.warns(UserWarning, match="only 1 of 2 directions"):
        found = contrastive_subspace(wanted, unwanted, 2)
    assert isinstance(found, Subspace)
    np.testing.assert_allclose(found.project([2, 3, 4]), [[2, 0, 0]], atol=1e-6)


def test_what_cannot_be_contrasted_is_refused() -> None:
    x = cloud(0, 5, 3)
    for arguments in (
        {"wanted": x[:1], "unwanted": x},
        {"wanted": x, "unwanted": x[:1]},
        {"wanted": x, "unwanted": x[:, :2]},
        {"wanted": x * np.nan, "unwanted": x},
        {"wanted": x, "unwanted": x, "k": 0},
        {"wanted": x, "unwanted": x, "k": True},
        {"wanted": x, "unwanted": x, "contrast": 1.5},
        {"wanted": x, "unwanted": x, "contrast": float("nan")},
        {"wanted": x, "unwanted": x, "mean": [0, 0]},
        {"wanted": x, "unwanted": x, "offset": float("inf")},
        {"wanted": x, "unwanted": 100 * x, "contrast": 0.9},
        {"wanted": np.ones((4, 3)), "unwanted": x},
    ):
        with pytest.raises(InputError):
            contrastive_subspace(**arguments)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="2 dimensions, but 3"):
        contrastive_subspace(x, cloud(1, 5, 3) / 9, 2).project([[1, 2]])


def test_centring() -> None:
    x = cloud(0, 5, 3)
    np.testing.assert_allclose(centred(x, x.mean(axis=0)).mean(axis=0), 0, atol=1e-6)
    assert centred(np.empty((0, 3), np.float32), [1, 2, 3]).shape == (0, 3)
    with pytest.raises(InputError):
        centred(x, [1, 2])
