"""The systems that study metric, index and order: their pieces, on small made data."""

from __future__ import annotations

import numpy as np
import pytest

from similia.atlas import s019_iceberg as iceberg
from similia.atlas import s026_insertion_order as insertion
from similia.atlas.hnsw import Hnsw, levels, squared_distances
from similia.evaluate.advisor import Advice
from similia.index import kernels


def points_of(seed, n, d):
    return np.random.default_rng(seed).normal(size=(n, d)).astype(np.float32)


def labelled(seed=0, n=240, d=16):
    random = np.random.default_rng(seed)
    labels = random.integers(0, 4, n)
    vectors = (random.normal(size=(4, d))[labels] + random.normal(size=(n, d))).astype(np.float32)
    return iceberg.divided(vectors, labels, random)


def test_distances_are_squares_of_differences() -> None:
    items, queries = points_of(0, 20, 5) + 100, points_of(1, 7, 5) + 100
    wanted = ((queries[:, None].astype(np.float64) - items[None]) ** 2).sum(axis=2)
    np.testing.assert_allclose(squared_distances(queries, items), wanted, rtol=1e-4)


def test_levels_fall_off_by_the_degree() -> None:
    drawn = levels(100_000, 8, seed=0)
    shares = [(drawn >= layer).mean() for layer in (0, 1, 2)]
    np.testing.assert_allclose(shares, [1, 1 / 8, 1 / 64], rtol=0.1)
    np.testing.assert_array_equal(drawn, levels(100_000, 8, seed=0))


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_a_graph_finds_what_comparing_all_finds(seed) -> None:
    items, queries = points_of(seed, 200, 4), points_of(seed + 9, 20, 4)
    asked = squared_distances(queries, items)
    order = np.random.default_rng(seed).permutation(200)
    graph = Hnsw(squared_distances(items, items), levels(200, 8, seed), order, degree=8, beam=40)
    truth = np.argsort(asked, axis=1)[:, :5]
    wide = [graph.search(row, 5, 200) for row in asked]
    assert np.mean([len({*a} & {*b.tolist()}) / 5 for a, b in zip(wide, truth, strict=True)]) > 0.97
    assert all((np.diff(row[found]) >= 0).all() for row, found in zip(asked, wide, strict=True))
    assert graph.reached() > 0.97
    assert wide == [graph.search(row, 5, 200) for row in asked]


def test_links_are_within_their_limits_and_levels_stay_with_items() -> None:
    items = points_of(3, 150, 6)
    drawn = levels(150, 4, 1)
    distances = squared_distances(items, items)
    for order in (range(150), range(149, -1, -1)):
        graph = Hnsw(distances, drawn, order, degree=4, beam=16)
        for layer, links in enumerate(graph._links):
            assert {*links} == {*np.flatnonzero(drawn >= layer).tolist()}
            for item, others in links.items():
                assert len(others) <= (4 if layer else 8)
                assert len({*others}) == len(others)
                assert item not in others
                assert {*others} <= {*links}


def test_graphs_of_nothing_of_one_and_of_equal_points() -> None:
    nothing = np.empty((0, 0), np.float32)
    assert Hnsw(nothing, levels(0, 8, 0)).search(np.empty(0, np.float32), 3, 5) == []
    one = np.zeros((1, 1), np.float32)
    assert Hnsw(one, levels(1, 8, 0)).search(one[0], 3, 5) == [0]
    same = np.zeros((30, 30), np.float32)
    assert len(Hnsw(same, levels(30, 8, 0)).search(same[0], 3, 30)) == 3


def test_made_points_have_the_dimensions_that_they_should() -> None:
    random = np.random.default_rng(0)
    points = insertion.subspace(random, 300, 4, 32)
    assert np.linalg.matrix_rank(points.astype(np.float64), tol=1e-3) == 4
    assert np.square(points).sum(axis=1).mean() == pytest.approx(1, rel=0.1)
    assert insertion.mixture(random, 203).shape == (203, 64)


def test_recall_goes_by_distance() -> None:
    items = np.repeat(points_of(0, 40, 3), 2, axis=0)  # each twice: the tenth and the eleventh may be equal
    space = insertion.Space.of(items, points_of(1, 15, 3))
    graph = space.graph(np.arange(80), 0)
    assert space.recall(graph, 80) > 0.95
    assert np.isfinite(space.dimensions).all()


def test_orders_are_compared_by_draw() -> None:
    space = insertion.Space.of(points_of(0, 120, 8), points_of(1, 10, 8))
    rows = [insertion.trial(space, seed, np.arange(120)) for seed in (0, 1)]
    found = insertion.means(rows, 10)
    assert {*found} == {"ascending", "descending", "by category", "random"}
    assert insertion.chance(rows, 10).shape == (2, 5)
    assert found["random"] == pytest.approx(insertion.chance(rows, 10).mean())
    assert insertion.spread(rows, rows).verdict in ("reproduced", "not reproduced")


def test_variants_change_what_they_say() -> None:
    data = labelled()
    changed = iceberg.variants(data, 0)
    np.testing.assert_allclose(np.linalg.norm(changed["unit"].items, axis=1), 1, rtol=1e-5)
    gaps = changed["offset"].items - data.items
    np.testing.assert_allclose(gaps, np.broadcast_to(gaps[0], gaps.shape), atol=1e-3)
    ratio = changed["scaled"].items / data.items
    np.testing.assert_allclose(ratio, np.broadcast_to(ratio[:, :1], ratio.shape), rtol=1e-4)
    assert changed["raw"] is data
    assert changed["offset"].value("l2") == pytest.approx(data.value("l2"), abs=0.01)
    assert iceberg.cones({f"a, {name}": one for name, one in changed.items()}, 0).verdict == "reproduced"


def test_counts_are_of_the_most_frequent() -> None:
    assert iceberg.trigrams("abcde") == ["abc", "bcd", "cde"]
    found = iceberg.counts([["b", "a", "a"], ["b"], ["c"]])
    assert found.tolist() == [[1, 2, 0], [1, 0, 0], [0, 0, 1]]


def test_picks_are_judged_by_the_better_of_two() -> None:
    values = {"one": {"dot": 0.5, "l2": 0.8, "cosine": 0.9}, "other": {"dot": 0.795, "l2": 0.8, "cosine": 0.1}}
    assert iceberg.right(values, "dot") == 0.5
    assert iceberg.right(values, "l2") == 1
    assert iceberg.right(values, "cosine") == 0.5
    same = Advice("equivalent", "graph", ())
    assert iceberg.right(values, {"one": same, "other": Advice("dot", "graph", ())}) == 1


def test_losses_add_up_and_metrics_are_misused() -> None:
    data = labelled()
    assert iceberg.adds_up({"a": data}, {}).verdict == "reproduced"
    assert iceberg.chosen(iceberg.variants(data, 1), 0).measured["rules"] <= 1
    if kernels.usable():
        claim = iceberg.misuse(data, 0)
        assert claim.measured["inner product"] < claim.baseline["Euclidean before"]
        assert claim.measured["unit, centred, cosine"] > 0.9 * claim.baseline["Euclidean before"]
        ways = iceberg.ways(labelled(n=300, d=130))
        found = {"a": {"graph, beam 10": data.judged(data.exact["cosine"], "cosine")}}
        assert len(ways) == 7
        assert iceberg.swapped({"a": data}, {"a": {"graph, beam 10": data.exact["cosine"]}}, found, 0).verdict
