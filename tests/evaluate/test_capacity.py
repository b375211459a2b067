"""Capacity of free vectors, collections of combinations, and how entangled judgments are."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from similia.errors import InputError
from similia.evaluate import datasets
from similia.evaluate.capacity import all_combinations, critical_n, free_embedding_capacity
from similia.evaluate.combinatorial import combinatorial_dataset
from similia.evaluate.relevance import RelevanceGraph

NAMES = [f"Person {number}" for number in range(300)]
THINGS = [f"thing{number}" for number in range(400)]


def test_what_is_solved_is_solved() -> None:
    wanted = all_combinations(8, 2)
    found = free_embedding_capacity(wanted, 4, steps=6_000)
    assert found.solved
    assert found.accuracy == 1.0
    scores = found.queries @ found.items.T
    best = np.argsort(-scores, axis=1)[:, :2]
    assert (np.sort(best, axis=1) == np.argwhere(wanted)[:, 1].reshape(-1, 2)).all()
    np.testing.assert_allclose(np.linalg.norm(found.items, axis=1), 1, atol=1e-5)


def test_more_dimensions_serve_more_items() -> None:
    found = [critical_n(d, most=16, steps=3_000, seeds=(42,)).items for d in (2, 3, 4, 5)]
    assert found == sorted(set(found))
    assert found[0] == 3
    assert 7 <= found[2] <= 11


def test_rings_need_few_dimensions_however_long() -> None:
    for n in (6, 15, 30):
        assert free_embedding_capacity(np.eye(n, dtype=bool), 2, steps=20_000).solved
        ring = np.eye(n, dtype=bool) | np.roll(np.eye(n, dtype=bool), 1, axis=1)
        assert free_embedding_capacity(ring, 4, steps=20_000).solved


def test_same_seed_same_result() -> None:
    wanted = all_combinations(6, 2)
    one, same, other = (free_embedding_capacity(wanted, 3, steps=100, seed=s) for s in (1, 1, 2))
    np.testing.assert_array_equal(one.items, same.items)
    assert not np.array_equal(one.items, other.items)


def test_every_combination() -> None:
    found = all_combinations(5, 3)
    assert sorted(map(tuple, (np.flatnonzero(row).tolist() for row in found))) == list(combinations(range(5), 3))


def test_what_cannot_be_is_refused() -> None:
    for call, words in (
        (lambda: all_combinations(3, 4), "k is 4"),
        (lambda: all_combinations(3, 0), "k is 0"),
        (lambda: all_combinations(2_000, 2), "too many"),
        (lambda: free_embedding_capacity(np.zeros((2, 3), bool), 2), "query 0 has no relevant"),
        (lambda: free_embedding_capacity(np.zeros((0, 3), bool), 2), "not empty"),
        (lambda: free_embedding_capacity(np.eye(3), 2), "must be bool"),
        (lambda: free_embedding_capacity(np.eye(3, dtype=bool), 0), "d is 0"),
        (lambda: free_embedding_capacity(np.eye(3, dtype=bool), 1, temperature=0), "temperature is 0"),
        (lambda: critical_n(2, 3, most=3), "k is 3 and most 3"),
        (lambda: combinatorial_dataset("dense", ["a", "b", "a"], THINGS), "name 'a' is there twice"),
        (lambda: combinatorial_dataset("dense", NAMES, ["x", "x"]), "thing 'x' is there twice"),
        (lambda: combinatorial_dataset("ring", NAMES, THINGS), "pattern 'ring'"),
        (lambda: combinatorial_dataset("disjoint", NAMES, THINGS, queries=200), "300 names are too few for 400"),
        (lambda: combinatorial_dataset("dense", NAMES, THINGS, queries=390), "400 things are too few"),
        (lambda: combinatorial_dataset("dense", NAMES, THINGS, queries=10, documents=4), "needs 5"),
        (lambda: combinatorial_dataset("dense", NAMES, THINGS, queries=0), "queries 0"),
        (lambda: RelevanceGraph.of({"a": {"x": 0}}), "no query"),
    ):
        with pytest.raises(InputError, match=words):
            call()


@settings(deadline=None, max_examples=40)
@given(
    pattern=st.sampled_from(["dense", "random", "cycle", "disjoint"]),
    queries=st.integers(1, 60),
    k=st.integers(1, 3),
    more=st.integers(0, 20),
    likes=st.integers(0, 30),
    seed=st.integers(0, 99),
)
def test_documents_name_what_they_answer_and_nothing_else_that_is_asked(pattern, queries, k, more, likes, seed) -> None:
    fewest = combinatorial_dataset(pattern, NAMES, THINGS, queries=queries, k=k, likes=likes, seed=seed)
    made = combinatorial_dataset(
        pattern, NAMES, THINGS, queries=queries, k=k, likes=likes, seed=seed, documents=len(fewest.documents) + more
    )
    assert len(made.documents) == len(fewest.documents) + more == len(set(made.document_ids))
    lists = {}
    for key, text in zip(made.document_ids, made.documents, strict=True):
        assert text.startswith(f"{key} likes ")
        lists[key] = text.removeprefix(f"{key} likes ").removesuffix(".").replace(" and ", ", ").split(", ")
        assert len(lists[key]) == len(set(lists[key])) >= likes
    for key, text in zip(made.query_ids, made.queries, strict=True):
        thing = text.removeprefix("Who likes ").removesuffix("?")
        assert {name for name, liked in lists.items() if thing in liked} == set(made.qrels[key])
        assert len(made.qrels[key]) == k
    if pattern == "disjoint":
        assert len(set().union(*made.qrels.values())) == k * queries
    if pattern == "dense":
        assert len({frozenset(answers) for answers in made.qrels.values()}) == queries


def test_limit_has_the_graph_that_its_authors_report() -> None:
    if not datasets.available("limit_small"):
        pytest.skip("the data set limit_small is not on this machine")
    graph = RelevanceGraph.of(datasets.retrieval("limit_small").qrels)
    assert graph.density == pytest.approx(0.085481, abs=1e-5)
    assert graph.strength == pytest.approx(28.4653, abs=1e-3)


def test_graphs_of_patterns_by_hand() -> None:
    def graph(pattern):
        return RelevanceGraph.of(combinatorial_dataset(pattern, NAMES, THINGS, queries=45, likes=5).qrels)

    assert graph("disjoint").density == graph("disjoint").strength == 0
    assert graph("cycle").density == pytest.approx(2 / 44)
    assert graph("cycle").strength == pytest.approx(2 / 3)
    dense = graph("dense")  # all pairs of 10: each shares an item with 16 others
    assert dense.density == pytest.approx(16 / 44)
    assert dense.strength == pytest.approx(16 / 3)
