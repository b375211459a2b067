"""The systems that compare ways to search: their pieces, and those of their claims that need no encoder."""

from __future__ import annotations

import numpy as np
import pytest

from similia.atlas import s003_anncur as anncur
from similia.atlas import s024_muvera as muvera
from similia.atlas import s025_leanvec as leanvec
from similia.atlas import s049_limit as limit
from similia.atlas.registry import Settings
from similia.evaluate import datasets
from similia.evaluate.datasets import RetrievalDataset
from similia.index.project import fit_pca
from similia.measure import neighbour_recall
from similia.types import Hits, MultiVector


def test_short_vectors_of_full_length_find_everything() -> None:
    random = np.random.default_rng(0)
    items, queries = (random.normal(size=(n, 6)).astype(np.float32) for n in (80, 9))
    truth = np.argsort(-queries @ items.T, axis=1)[:, :10]
    projection = fit_pca(items, 6, metric="dot")
    assert neighbour_recall(leanvec.search(projection, items, queries, 10), truth) == 1
    assert neighbour_recall(leanvec.search(projection, items, queries, 10, coded=True), truth) > 0.95
    assert leanvec.shown({"id, words": 1.0, "id, titles": 2.0, "eigen, words": 3.0}, "id", "words") == {
        "id, words": 1.0
    }


def test_landmarks_are_exact_at_low_rank_and_calls_are_counted() -> None:
    assert anncur.low_rank(0).verdict == "reproduced"
    matrix = np.random.default_rng(1).normal(size=(120, 300))
    assert anncur.calls(matrix, 100).verdict == "reproduced"


def test_recall_of_all_is_one() -> None:
    matrix = np.random.default_rng(1).normal(size=(60, 100))
    trial = anncur.Trial(matrix, 50, seeds=1, seed=0)
    assert trial.landmarks(10, 100) == trial.reranked(matrix[50:], 100) == {1: 1, 10: 1, 50: 1}
    assert trial.reranked(matrix[50:], 10)[50] == pytest.approx(10 / 50)


def test_places_of_the_best_document() -> None:
    scores = np.tile(-np.arange(200.0, dtype=np.float32), (3, 1))
    assert muvera.found(scores, np.array([0, 9, 150])) == {1: 1 / 3, 10: 2 / 3, 100: 2 / 3}
    sets = MultiVector(np.array([[3, 0], [0, 4], [1, 0]]), np.array([0, 2, 3, 3]))
    np.testing.assert_allclose(muvera.mean(sets), [[0.6, 0.8], [1, 0], [0, 0]], atol=1e-6)


def test_the_estimate_is_exact_for_one_vector_a_document() -> None:
    random = np.random.default_rng(2)
    items = MultiVector(random.normal(size=(240, 8)), np.arange(0, 241, 2))
    queries = MultiVector(random.normal(size=(30, 8)), np.arange(0, 31, 5))
    assert muvera.single(items, queries, Settings()).verdict == "reproduced"


def test_recall_counts_relevant_documents() -> None:
    data = RetrievalDataset(
        "d", ("a", "b", "c"), ("", "", ""), ("q", "r"), ("", ""), {"q": {"a": 1, "b": 1}, "r": {"c": 1}}
    )
    hits = Hits([[0, 2, 1], [1, 0, 2]], [[3, 2, 1], [3, 2, 1]])
    assert limit.recall(data, hits, 2) == 0.25
    assert limit.recall(data, hits, 3) == 1
    assert limit.first(data, 1).query_ids == ("q",)


def test_capacity_and_entanglement_are_as_published() -> None:
    assert limit.capacity(Settings(quick=True)).verdict == "reproduced"
    if all(map(datasets.available, limit.INFO.data)):
        assert limit.entangled().verdict == "reproduced"
