"""The funnel: its parts add up, and task metrics count what they say."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from similia.errors import InputError
from similia.evaluate.task_loss import (
    HitRate,
    LabelRecall,
    MatchingScore,
    NeighbourAccuracy,
    funnel,
    retrieved,
)
from similia.index import ExactIndex
from similia.types import Hits


class Few:
    """Exact search of the items that are not at every third position."""

    def __init__(self, index):
        self.index = index

    def search(self, queries, k):
        return self.index.search(queries, k, where=np.arange(len(self.index)) % 3 > 0)


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 999), st.integers(1, 12), st.sampled_from(["dot", "l2", "cosine"]), st.booleans())
def test_losses_add_up(seed, k, metric, own) -> None:
    random = np.random.default_rng(seed)
    items = random.normal(size=(30, 4)).astype(np.float32)
    labels = random.integers(0, 4, 30)
    mine = random.choice(30, 8, replace=False)
    queries, asked = items[mine], labels[mine]
    exact = {name: ExactIndex(items, metric=name) for name in ("dot", "l2", "cosine")}
    tasks = (
        LabelRecall(asked, labels, own=own),
        NeighbourAccuracy(asked, labels),
        HitRate(mine),
        MatchingScore([{int(i): 2.0, 3: 0.5} for i in mine]),
    )
    for task in tasks:
        found = funnel(Few(exact[metric]), exact, metric, queries, k, task, own=mine if own else None)
        assert found.embedding_loss + found.metric_loss + found.index_loss == pytest.approx(found.loss, abs=1e-9)
        assert found.metric_loss >= 0
        assert 0 <= found.found <= 1
        assert 0 <= found.synthetic <= 1
        whole = funnel(exact[metric], exact, metric, queries, k, task, own=mine if own else None)
        assert whole.synthetic == 1
        assert whole.index_loss == 0


def test_label_recall_has_the_denominator_of_its_authors() -> None:
    items = list("aaabbc")
    found = np.array([[0, 3, 1, -1], [5, 0, 1, 2], [4, 3, 0, 1]])
    task = LabelRecall(["a", "c", "b"], items)
    assert task(found) == pytest.approx((2 + 1 + 2) / (3 + 1 + 2))
    assert LabelRecall(["a", "c", "b"], items, denominator="k")(found) == pytest.approx(5 / 12)
    others = np.array([[1, 3, 4], [3, 0, 1], [4, 0, 1]])  # found by items 0, 5 and 3, less itself
    assert LabelRecall(["a", "c", "b"], items, own=True)(others) == pytest.approx((1 + 0 + 1) / (2 + 0 + 1))
    assert LabelRecall(["z"], items)(found[:1]) == 0
    assert LabelRecall(["z", "a"], items)(found[[0, 0]]) == pytest.approx(2 / 3)


def test_labels_are_voted_for() -> None:
    items = list("abbca")
    assert NeighbourAccuracy(["b"], items)(np.array([[0, 1, 2]])) == 1
    assert NeighbourAccuracy(["c"], items)(np.array([[3, 1, -1]])) == 1  # of equals, the first found
    assert NeighbourAccuracy(["b"], items)(np.array([[3, 1, -1]])) == 0
    assert NeighbourAccuracy(["b", "a"], items)(np.array([[-1, -1], [4, 0]])) == 0.5


def test_hits_and_weights_count_once() -> None:
    found = np.array([[1, 4, 4], [0, 2, -1]])
    assert HitRate([4, 3])(found) == 0.5
    assert MatchingScore([{4: 3.0, 9: 1.0}, {2: 4.0}])(found) == pytest.approx(7 / 8)
    assert MatchingScore([{}, {}])(found) == 0


def test_the_query_itself_is_left_out() -> None:
    class Fixed:
        def search(self, queries, k):
            ids = np.array([[7, 1, 2, 3], [1, 2, 3, 4]])[:, :k]
            return Hits(ids, np.zeros(ids.shape))

    queries = np.zeros((2, 1), np.float32)
    assert retrieved(Fixed(), queries, 3, own=[7, 9]).tolist() == [[1, 2, 3], [1, 2, 3]]
    assert retrieved(Fixed(), queries, 2, own=[7, 2]).tolist() == [[1, 2], [1, 3]]
    assert retrieved(Fixed(), queries, 2).tolist() == [[7, 1], [1, 2]]


def test_what_cannot_be_is_refused() -> None:
    items = np.eye(3, dtype=np.float32)
    exact = {"dot": ExactIndex(items, metric="dot")}
    task = HitRate([0, 1, 2])
    for call, words in (
        (lambda: funnel(exact["dot"], exact, "l2", items, 1, task), "'l2' is not given; there are dot"),
        (lambda: funnel(exact["dot"], exact, "dot", items, 0, task), "k is 0"),
        (lambda: funnel(exact["dot"], exact, "dot", items[:0], 1, task), "0 queries"),
        (lambda: funnel(exact["dot"], exact, "dot", items, 1, task, own=[1]), "own is int64 \\(1,\\)"),
        (lambda: funnel(exact["dot"], exact, "dot", items[:2], 1, task), "must be \\(3, k\\)"),
        (lambda: LabelRecall(["a"], ["b"])(np.array([[2]])), "position 2, but there are labels for 1"),
    ):
        with pytest.raises(InputError, match=words):
            call()
