"""Every strategy: exact with the greatest effort, and never an item that does not pass."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from similia.errors import FilterError, InputError
from similia.index import ExactIndex, kernels
from similia.index.filtered import (
    Acorn,
    Clusters,
    Containment,
    FilteredIndex,
    Fused,
    Inside,
    Labels,
    Post,
    Range,
    Scan,
)
from similia.measure import neighbour_recall

pytestmark = pytest.mark.skipif(not kernels.usable(), reason="compiled kernels are not usable here")

METRICS = ["cosine", "dot", "l2"]
EVERY = (
    Scan(),
    Post(),
    Inside(),
    Acorn(),
    Acorn(3, 4),
    Range("day", degree=4),
    Labels(("area", "tags"), degree=8),
    Clusters(("area", "year")),
    Fused(("area", "open")),
    Containment("tags", degree=8),
)
FILTERS = [
    None,
    "TRUE",
    "FALSE",
    "area = 'a'",
    "area = 'nowhere'",
    "area IN ('a', 'c')",
    "area = 'b' OR contains(tags, 'x')",
    "contains(tags, 'y')",
    "contains(tags, 'y') AND contains(tags, 'x')",
    "area = 'a' AND year = 2003",
    "area = 'a' AND open = true",
    "area = 'b' AND area = 'a'",
    "contains(tags, 'x') AND contains(tags, 'none')",
    "day >= '2020-03-01'",
    "day BETWEEN '2020-02-01' AND '2020-04-15'",
    "day BETWEEN '2020-04-15' AND '2020-02-01'",
    "day = '2020-03-03'",
    "day <> '2020-03-03'",
    "month(day) = 3",
    "NOT open",
    "year > 2003 AND area <> 'a'",
    "length(tags) = 1 OR year IS NULL",
]


def world(seed: int, n: int, d: int) -> tuple[np.ndarray, dict[str, list], np.ndarray]:
    """Vectors, columns with gaps that go with the vectors or do not, and queries; small numbers, so that some tie."""
    random = np.random.default_rng(seed)
    vectors = random.integers(-3, 4, (n, d)).astype(np.float32)

    def gaps(values: list) -> list:
        return [None if random.random() < 0.1 else value for value in values]

    days = [f"2020-{1 + int(m):02d}-{1 + int(day):02d}" for m, day in random.integers(0, [6, 28], (n, 2))]
    columns = {
        "area": gaps([("a", "b", "c", "d")[min(3, int(abs(v[0])))] for v in vectors]),
        "tags": gaps([[t for t, r in zip("xyz", random.random(3), strict=True) if r < 0.5] for _ in range(n)]),
        "year": gaps([2000 + int(y) for y in random.integers(0, 6, n)]),
        "day": gaps(days),
        "open": gaps([bool(b) for b in random.integers(0, 2, n)]),
    }
    return vectors, columns, random.integers(-3, 4, (4, d)).astype(np.float32)


TYPES = {"area": "category", "tags": "list", "year": "integer", "day": "date", "open": "boolean"}


@settings(deadline=None)
@given(
    seed=st.integers(0, 2**32),
    n=st.integers(0, 130),
    d=st.integers(1, 6),
    metric=st.sampled_from(METRICS),
    k=st.integers(1, 12),
    effort=st.integers(1, 40),
    scale=st.sampled_from([1.0, 1e-6, 1e6]),
)
def test_the_greatest_effort_misses_nothing_and_no_effort_lets_in_what_does_not_pass(
    seed, n, d, metric, k, effort, scale
):
    vectors, columns, queries = world(seed, n, d)
    vectors[1:] *= np.float32(scale)  # one of another length
    ids = np.random.default_rng(seed).permutation(3 * n)[:n]
    index = FilteredIndex(vectors, columns, ids, metric, types=TYPES, strategies=EVERY, seed=seed % 5)
    exact = ExactIndex(vectors, ids, metric)
    for where in FILTERS:
        asked = index.columns.filter(where)
        true = exact.search(queries, k, where=asked.passing)
        allowed = {*ids[asked.passing].tolist(), -1}
        for name, way in index.ways.items():
            if way.supports(asked):
                with pytest.raises(InputError, match="serves"):
                    index.search(queries, k, where, strategy=name)
                continue
            found = index.search(queries, k, where, strategy=name, effort=max(1, n))
            assert np.array_equal(found.ids, true.ids), (name, where)
            assert np.array_equal(found.scores, true.scores), (name, where)
            some = index.answer(queries, k, where, strategy=name, effort=effort)
            assert {*some.hits.ids.ravel().tolist()} <= allowed, (name, where)
            assert ((some.hits.ids >= 0).sum(axis=1) == min(k, len(asked.rows))).all(), (name, where)
            assert (some.distances <= n + 50).all(), (name, where)
        planned = index.search(queries, k, where, recall=1)
        assert np.array_equal(planned.ids, true.ids), where


def clustered(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Points around 20 centres, and which centre each is at."""
    random = np.random.default_rng(seed)
    centre = random.integers(0, 20, n)
    points = np.random.default_rng(99).normal(size=(20, 24))[centre] + random.normal(size=(n, 24))
    return points.astype(np.float32), centre


@pytest.fixture(scope="module")
def large() -> FilteredIndex:
    points, centre = clustered(4000, 0)
    random = np.random.default_rng(1)
    columns = {
        "topic": [f"t{c // 2}" for c in centre],
        "tags": [[f"t{c // 2}", f"u{random.integers(6)}"] for c in centre],
        "year": (1900 + random.integers(0, 100, len(points))).tolist(),
    }
    strategies = (
        Scan(), Post(), Inside(), Acorn(), Acorn(8, 16), Range("year"), Labels(("topic", "tags")), Clusters(("topic",)),
        Fused(("topic",)), Containment("tags"),
    )  # fmt: skip
    return FilteredIndex(points, columns, strategies=strategies)


@pytest.mark.parametrize("where", ["topic = 't3'", "contains(tags, 'u2')", "year BETWEEN 1930 AND 1960", "year < 1905"])
def test_little_effort_finds_most(large, where):
    queries = clustered(60, 2)[0]
    true = large.exact(queries, 10, where)
    for name, way in large.ways.items():
        if not way.supports(large.columns.filter(where)):
            answer = large.answer(queries, 10, where, strategy=name, effort=200)
            assert neighbour_recall(answer.hits.ids, true.ids) > 0.9, name
            assert answer.distances.mean() < 4000
            assert (answer.opened > 0).all()


def test_distances_are_those_of_the_families(large):
    queries = clustered(60, 2)[0]
    where = "year BETWEEN 1930 AND 1939"

    def spent(name: str) -> float:
        return float(large.answer(queries, 10, where, strategy=name, effort=16).distances.mean())

    assert spent("scan") == len(large.columns.filter(where).rows)
    assert max(spent("range"), spent("acorn-1")) < spent("inside") <= spent("post")


def test_a_budget_ends_a_walk(large):
    queries = clustered(30, 3)[0]
    for name in ("post", "inside", "acorn-1", "range"):
        answer = large.answer(queries, 10, "year >= 1950", strategy=name, effort=300, budget=100)
        assert (answer.distances <= 200).all(), name  # the links of the last node are all measured


def test_more_effort_is_wider(large):
    queries = clustered(30, 4)[0]
    found = [large.answer(queries, 10, "year >= 1950", strategy="acorn-1", effort=e).distances for e in (10, 40, 160)]
    assert (found[0] <= found[1]).all()
    assert (found[1] <= found[2]).all()


@pytest.mark.parametrize(
    ("strategies", "says"),
    [
        ([Range("where")], "no column 'where'"),
        ([Range("tags")], "'tags' is list"),
        ([Labels("area")], "names of columns"),
        ([Labels(())], "names of columns"),
        ([Labels(("day",))], "'day' is date"),
        ([Clusters(("tags",))], "'tags' is list"),
        ([Clusters(("area",), count=0)], "at least 1 cluster"),
        ([Fused(("tags",))], "'tags' is list"),
        ([Fused(())], "names of columns"),
        ([Containment("area")], "'area' is category"),
        ([Acorn(0)], "at least 1"),
        ([Scan(), Scan()], "two strategies 'scan'"),
    ],
)
def test_what_cannot_be_built_is_refused(strategies, says):
    vectors, columns, _ = world(0, 20, 3)
    with pytest.raises(InputError, match=says):
        FilteredIndex(vectors, columns, types=TYPES, strategies=strategies)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"k": 0}, "k is 0"),
        ({"effort": 0}, "effort is 0"),
        ({"budget": 0}, "budget is 0"),
        ({"recall": 0}, "recall is 0"),
        ({"recall": 1.5}, "recall is 1.5"),
        ({"strategy": "magic"}, "'magic' is not there; there are scan"),
        ({"where": [True]}, "one value an item"),
        ({"where": "colour = 'red'"}, "there is no field 'colour'"),
        ({"queries": [[1.0]]}, "1 dimensions"),
    ],
)
def test_what_cannot_be_searched_is_refused(change, says):
    vectors, columns, queries = world(0, 20, 3)
    index = FilteredIndex(vectors, columns, types=TYPES, strategies=[Scan()])
    with pytest.raises((InputError, FilterError), match=says):
        index.search(**{"queries": queries, "k": 3, **change})


def test_a_mask_serves_where_a_filter_does():
    vectors, columns, queries = world(1, 80, 4)
    index = FilteredIndex(vectors, columns, types=TYPES, strategies=EVERY)
    mask = index.columns.filter("year > 2002").passing
    for name in ("scan", "post", "inside", "acorn-1", "acorn"):
        found = index.search(queries, 5, mask, strategy=name, effort=80)
        assert np.array_equal(found.ids, index.search(queries, 5, "year > 2002", strategy="scan").ids)
    with pytest.raises(InputError, match="no filter is written"):
        index.search(queries, 5, mask, strategy="range")


def test_without_compiled_kernels_everything_can_be_scanned(monkeypatch):
    monkeypatch.setattr(kernels, "usable", lambda: False)
    vectors, columns, queries = world(2, 60, 4)
    index = FilteredIndex(vectors, columns, types=TYPES, strategies=[Scan(), Clusters(("area",))])
    assert index.search(queries, 3, "area = 'a'").ids.shape == (4, 3)
    for strategy in (Post(), Inside(), Acorn(), Range("day"), Labels(("area",)), Fused(("area",))):
        with pytest.raises(InputError, match="needs compiled kernels"):
            FilteredIndex(vectors, columns, types=TYPES, strategies=[strategy])


def test_the_same_seed_makes_the_same_index():
    points, centre = clustered(3000, 5)
    columns = {"topic": centre.tolist(), "year": np.random.default_rng(6).integers(0, 50, 3000).tolist()}
    strategies = (Acorn(4, 8), Range("year"), Labels(("topic",)), Clusters(("topic",)), Fused(("topic",)))
    one, two = (FilteredIndex(points, columns, strategies=strategies, seed=3) for _ in range(2))
    for where in ("topic = 4", "year < 20"):
        for name, way in one.ways.items():
            if not way.supports(one.columns.filter(where)):
                found, other = (index.answer(points[:20], 5, where, strategy=name, effort=20) for index in (one, two))
                assert np.array_equal(found.hits.ids, other.hits.ids)
                assert np.array_equal(found.distances, other.distances)
