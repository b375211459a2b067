"""Fusion against sums written out, and against an independent implementation."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from similia.errors import InputError
from similia.rank import fuse
from similia.types import Hits


def hits(*queries: list[tuple[int, float]], k: int | None = None) -> Hits:
    """Hits from (id, score) lists, padded."""
    k = max([len(found) for found in queries], default=0) if k is None else k
    ids = [[item for item, _ in found] + [-1] * (k - len(found)) for found in queries]
    scores = [[score for _, score in found] + [-np.inf] * (k - len(found)) for found in queries]
    return Hits(np.array(ids, np.int64).reshape(len(queries), k), np.array(scores).reshape(len(queries), k))


found = st.lists(st.tuples(st.integers(0, 8), st.sampled_from([0.0, 0.5, 1.0, 2.5, -1.0])), max_size=6)


def best_first(pairs: list[tuple[int, float]]) -> list[tuple[int, float]]:
    return sorted(pairs, key=lambda pair: -pair[1])


@st.composite
def problems(draw):
    queries, count = draw(st.integers(0, 3)), draw(st.integers(1, 3))
    views = [[best_first(draw(found)) for _ in range(queries)] for _ in range(count)]
    weight = st.sampled_from([0.0, 0.5, 1.0, 3.0])
    per_query = draw(st.booleans())
    shape = (queries, count) if per_query else (count,)
    weights = np.array([draw(weight) for _ in range(math.prod(shape))]).reshape(shape)
    return views, weights


def written_out(views, weights, queries, method, normalisation, constant=60.0):
    """The definition, one query, view and hit after the other."""
    weights = np.broadcast_to(weights, (queries, len(views)))
    answer = []
    for query in range(queries):
        present = [w if views[v][query] else 0.0 for v, w in enumerate(weights[query])]
        total: dict[int, float] = {}
        base = 0.0
        for view, weight in zip(views, present, strict=True):
            share = 1.0 if method == "rrf" else weight / sum(present) if sum(present) else 0.0
            if share == 0:
                continue
            first: dict[int, tuple[int, float]] = {}
            for rank, (item, score) in enumerate(view[query], 1):
                first.setdefault(item, (rank, score))
            scores = [score for _, score in first.values()]
            base += share * min(scores, default=0.0) if method == "sum" else 0.0
            for item, (rank, score) in first.items():
                if method == "sum":
                    value = score - min(scores)
                elif method == "score":
                    spread = (max(scores) - min(scores)) if normalisation == "minmax" else float(np.std(scores))
                    value = (score - min(scores)) / spread if spread else 1.0
                else:
                    value = 1 / (constant + rank)
                total[item] = total.get(item, 0.0) + share * value
        answer.append({item: value + base for item, value in total.items()})
    return answer


@settings(deadline=None, max_examples=200)
@given(
    problem=problems(),
    k=st.integers(1, 12),
    method=st.sampled_from(["rrf", "weighted", "score", "sum"]),
    normalisation=st.sampled_from(["minmax", "z"]),
)
def test_equals_the_sums_written_out(problem, k, method, normalisation):
    views, weights = problem
    queries = len(views[0])
    given_weights = None if method == "rrf" else weights
    fused = fuse([hits(*view) for view in views], k, method=method, weights=given_weights, normalisation=normalisation)
    assert fused.ids.shape == (queries, k)
    expected = written_out(views, weights, queries, method, normalisation)
    for (ids, scores), total in zip(fused, expected, strict=True):
        assert len(ids) == min(k, len(total)) == len(set(ids.tolist()))
        assert np.allclose(scores, [total[item] for item in ids.tolist()], rtol=1e-6)
        assert np.allclose(scores, sorted(total.values(), reverse=True)[:k], rtol=1e-6)
        order = list(zip((-scores).tolist(), ids.tolist(), strict=True))
        assert order == sorted(order)


RANX = """
import json, sys
import ranx
runs = [ranx.Run(run) for run in json.load(sys.stdin)]
print(json.dumps(dict(ranx.fuse(runs=runs, norm=None, method="rrf", params={"k": 60}).to_dict())))
"""


def test_ranx_agrees():
    pytest.importorskip("ranx")
    rng = np.random.default_rng(3)
    views, runs = [], []
    for _ in range(3):
        lists = [[(int(item), 30.0 - place) for place, item in enumerate(rng.permutation(40)[:20])] for _ in range(5)]
        views.append(hits(*lists))
        runs.append({f"q{n}": {f"d{item}": score for item, score in found} for n, found in enumerate(lists)})
    # Compiling its kernels takes half a minute; interpreted, they take none.
    environment = {**os.environ, "NUMBA_DISABLE_JIT": "1"}
    command = [sys.executable, "-W", "ignore", "-c", RANX]
    answer = subprocess.run(
        command, input=json.dumps(runs), env=environment, capture_output=True, text=True, check=True
    )
    theirs = json.loads(answer.stdout)
    for number, (ids, scores) in enumerate(fuse(views, 40)):
        expected = theirs[f"q{number}"]
        assert {f"d{item}" for item in ids.tolist()} == set(expected)
        assert np.allclose(scores, [expected[f"d{item}"] for item in ids.tolist()], rtol=1e-5)


def test_a_worked_example():
    dense = hits([(7, 0.9), (3, 0.8), (5, 0.1)])
    text = hits([(3, 12.0), (9, 4.0)])
    fused = fuse([dense, text], 4)
    assert fused.ids.tolist() == [[3, 7, 9, 5]]
    assert np.allclose(fused.scores, [[1 / 61 + 1 / 62, 1 / 61, 1 / 62, 1 / 63]])
    weighted = fuse([dense, text], 4, method="weighted", weights=[3, 1])
    assert np.allclose(weighted.scores, [[0.75 / 62 + 0.25 / 61, 0.75 / 61, 0.75 / 63, 0.25 / 62]])
    scored = fuse([dense, text], 4, method="score")
    assert scored.ids.tolist() == [[3, 7, 5, 9]]
    assert np.allclose(scored.scores, [[0.5 * 0.875 + 0.5, 0.5, 0, 0]])


def test_equal_sums_come_by_lower_id_whatever_the_order_of_addition():
    views = [
        hits([(1, 3.0), (2, 2.0), (3, 1.0)]),
        hits([(2, 3.0), (3, 2.0), (1, 1.0)]),
        hits([(3, 3.0), (1, 2.0), (2, 1.0)]),
    ]
    assert fuse(views, 3).ids.tolist() == [[1, 2, 3]]
    assert fuse(views[::-1], 3).ids.tolist() == [[1, 2, 3]]


def test_weights_go_to_the_views_that_found_something():
    full, empty = hits([(4, 1.0)], [(4, 1.0)]), hits([(4, 1.0)], [])
    fused = fuse([full, empty], 1, method="weighted", weights=[0.6, 0.4])
    assert np.allclose(fused.scores, [[1 / 61], [1 / 61]])


def test_a_view_of_weight_zero_takes_no_part():
    fused = fuse([hits([(1, 1.0)], [(1, 1.0)]), hits([(2, 1.0)], [])], 2, method="weighted", weights=[[1, 0], [0, 1]])
    assert fused.ids.tolist() == [[1, -1], [-1, -1]]


def test_nothing_found():
    assert fuse([Hits.empty(2, 3)], 2).ids.tolist() == [[-1, -1], [-1, -1]]
    assert fuse([Hits.empty(0, 3)], 2).ids.shape == (0, 2)
    assert fuse([Hits.empty(1, 0), hits([(5, 1.0)])], 1).ids.tolist() == [[5]]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"views": []}, "no view"),
        ({"views": [Hits.empty(1, 2), Hits.empty(2, 2)]}, "of \\[1, 2\\] queries"),
        ({"k": 0}, "k is 0"),
        ({"method": "borda"}, "method 'borda' is unknown; there are rrf, weighted, score"),
        ({"weights": [1]}, 'method "rrf" takes no weights'),
        ({"method": "weighted"}, "needs weights"),
        ({"method": "weighted", "weights": [1, 2]}, "shape"),
        ({"method": "weighted", "weights": [-1]}, "at least 0"),
        ({"method": "weighted", "weights": [float("nan")]}, "finite"),
        ({"constant": -1}, "constant is -1"),
        ({"method": "score", "normalisation": "rank"}, "normalisation 'rank' is unknown"),
        ({"method": "score", "views": [hits([(1, float("inf"))])]}, "NaN or infinite"),
    ],
)
def test_refuses_what_cannot_be_fused(arguments, message):
    defaults = {"views": [hits([(1, 1.0)])], "k": 1}
    with pytest.raises(InputError, match=message):
        fuse(**{**defaults, **arguments})
