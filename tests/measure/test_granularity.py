from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import softmax

from similia.errors import InputError
from similia.measure.granularity import aggregate, combine, two_way
from similia.types import MultiVector, ragged

SIZES = st.lists(st.integers(0, 4), min_size=1, max_size=5)


def written_out(queries: MultiVector, items: MultiVector, asked: np.ndarray, held: np.ndarray) -> np.ndarray:
    """One pair after the other."""
    found = np.full((len(queries), len(items)), np.nan)
    for q in range(len(queries)):
        for i in range(len(items)):
            left, right = (slice(*m.offsets[p : p + 2]) for m, p in ((queries, q), (items, i)))
            v, w = asked[left], held[right]
            if v.sum() and w.sum():
                c = queries.vectors[left][v > 0] @ items.vectors[right][w > 0].T
                v, w = v[v > 0], w[w > 0]
                found[q, i] = (c.max(axis=1) @ v / v.sum() + c.max(axis=0) @ w / w.sum()) / 2
    return found


@given(left=SIZES, right=SIZES, seed=st.integers(0, 99))
def test_two_way_is_written_out(left: list[int], right: list[int], seed: int) -> None:
    random = np.random.default_rng(seed)
    queries, items = (ragged([random.normal(size=(m, 3)) for m in sizes], 3) for sizes in (left, right))
    weights = [random.choice([0.0, 1.0, 2.5], len(side.vectors)) for side in (queries, items)]
    ours = two_way(queries, items, query_weights=weights[0], item_weights=weights[1])
    np.testing.assert_allclose(ours, written_out(queries, items, *weights), rtol=1e-4, atol=1e-5)
    even = two_way(queries, items)
    np.testing.assert_allclose(even, written_out(queries, items, *(np.ones_like(w) for w in weights)), atol=1e-4)


def test_two_way_in_small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    random = np.random.default_rng(0)
    queries, items = (ragged([random.normal(size=(m, 4)) for m in sizes], 4) for sizes in ((3, 0, 2, 5), (2, 4, 0)))
    whole = two_way(queries, items)
    monkeypatch.setattr("similia.measure.granularity._SCORES", 1)
    np.testing.assert_allclose(two_way(queries, items), whole, atol=1e-6)


@given(seed=st.integers(0, 99), first=st.sampled_from([0.01, 0.2, 1.0]), second=st.sampled_from([0.05, 1.0]))
def test_aggregates_are_their_formulas(seed: int, first: float, second: float) -> None:
    random = np.random.default_rng(seed)
    values, weights = random.uniform(-1, 1, (2, 3, 5)), random.uniform(0.1, 2, 5)
    counted = random.random((3, 5)) < 0.6
    counted[:, 0] = True
    assert aggregate(values, "max") == pytest.approx(values.max(axis=-1))
    assert aggregate(values, weights=weights) == pytest.approx(np.average(values, axis=-1, weights=weights))
    w = softmax(softmax(values / first, axis=-1) / second, axis=-1)
    assert aggregate(values, "isa", temperatures=(first, second)) == pytest.approx((w * values).sum(axis=-1))
    for how in ("mean", "max", "isa"):
        some = aggregate(np.where(counted, values, np.nan), how, counted=np.broadcast_to(counted, values.shape))
        for at in np.ndindex(2, 3):
            assert some[at] == pytest.approx(aggregate(values[at][counted[at[1]]], how))


def test_between_mean_and_max() -> None:
    values = np.array([0.9, 0.2, 0.1])
    assert aggregate(values, "isa", temperatures=(0.01, 1e6)) == pytest.approx(values.mean())
    assert aggregate(values, "isa", temperatures=(0.01, 0.01)) == pytest.approx(0.9)


def test_levels_that_are_not_there_leave_the_others() -> None:
    nan = float("nan")
    found = combine([[[0.2, 0.4, nan]], [[0.6, nan, nan]]], weights=[3, 1])
    np.testing.assert_allclose(found, [[0.3, 0.4, nan]])


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: aggregate([0.1], "sum"), "unknown"),
        (lambda: aggregate(0.1), "one number"),
        (lambda: aggregate([0.1, np.nan]), "NaN"),
        (lambda: aggregate([0.1, 0.2], counted=[False, False]), "no part counts"),
        (lambda: aggregate([0.1], "max", weights=[1]), "takes no weights"),
        (lambda: aggregate([0.1], weights=[-1]), "at least 0"),
        (lambda: aggregate([0.1], weights=[1, 2]), "are needed here"),
        (lambda: aggregate([0.1], counted=[1]), "bool"),
        (lambda: aggregate([0.1], "isa", temperatures=(0, 1)), "above 0"),
        (lambda: aggregate(np.empty((2, 0))), "no part counts"),
        (lambda: combine([]), "at least one"),
        (lambda: combine([[[1.0]], [[1.0, 2.0]]]), "one shape"),
        (lambda: combine([[[1.0]]], weights=[0]), "above 0"),
        (lambda: two_way(ragged([[[1.0]]], 1), ragged([[[1.0, 2.0]]], 2)), "dimensions"),
        (lambda: two_way(ragged([[[1.0]]], 1), ragged([[[1.0]]], 1), item_weights=[1, 2]), "item_weights"),
    ],
)
def test_what_does_not_fit_is_named(call, said: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(InputError, match=said):
        call()
