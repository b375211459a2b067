"""SeededPrototypes: the method step by step, every pitfall of it, and real articles."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from similia.classify import SeededPrototypes, nearest
from similia.errors import InputError
from similia.types import ragged


def around(centres: np.ndarray, each: int, spread: float, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """``each`` items around each centre, shuffled."""
    random = np.random.default_rng(seed)
    labels = random.permutation(np.repeat(np.arange(len(centres)), each))
    return (centres[labels] + spread * random.normal(size=(labels.size, centres.shape[1]))).astype(np.float32), labels


def by_hand(items: np.ndarray, seeds: list[np.ndarray], k: int) -> np.ndarray:
    """The method as the paper says it, one class and one item at a time."""

    def cosine(a: np.ndarray, b: np.ndarray) -> float:
        return float(a @ b / (np.linalg.norm(a) * np.linalg.norm(b)))

    labels = []
    for words in seeds:
        middle = np.mean([word / np.linalg.norm(word) for word in words], axis=0)
        ranked = sorted(range(len(items)), key=lambda i: -cosine(items[i], middle))
        labels.append(np.mean([items[i] for i in ranked[:k]], axis=0))
    return np.array([[cosine(item, label) for label in labels] for item in items])


@given(st.integers(0, 1000), st.integers(1, 6), st.integers(1, 9))
def test_agrees_with_the_method_done_by_hand(seed: int, classes: int, k: int) -> None:
    random = np.random.default_rng(seed)
    items = random.normal(size=(12, 5)).astype(np.float32)
    seeds = [random.normal(size=(random.integers(1, 4), 5)).astype(np.float32) for _ in range(classes)]
    found = SeededPrototypes(k=k).fit(items, seeds).predict(items)
    expected = by_hand(items.astype(np.float64), seeds, k)
    np.testing.assert_allclose(found.scores, expected, atol=2e-5)
    sure = np.partition(np.c_[expected, np.full(12, -9)], -2, axis=1)
    clear = sure[:, -1] - sure[:, -2] > 1e-4
    assert (found.labels[clear] == expected.argmax(axis=1)[clear]).all()


def test_documents_teach_what_keywords_do_not_say() -> None:
    """Keywords lie off the centres; the items that they retrieve lie around them."""
    centres = np.eye(4, 16) * 3
    items, truth = around(centres, 100, 0.6)
    random = np.random.default_rng(1)
    seeds = [(centre + 2.5 * random.normal(size=16)).astype(np.float32)[None] for centre in centres]
    baseline = nearest(items, np.concatenate(seeds)).labels
    found = SeededPrototypes().fit(items, seeds).predict(items).labels
    assert (found == truth).mean() > (baseline == truth).mean() + 0.02


def test_fit_on_one_pool_and_predict_another() -> None:
    centres = np.eye(3, 8) * 4
    pool, _ = around(centres, 40, 0.5, seed=1)
    other, truth = around(centres, 20, 0.5, seed=2)
    model = SeededPrototypes().fit(pool, [c[None] for c in centres])
    alone = np.array([int(model.predict(item).labels[0]) for item in other])
    assert (model.predict(other).labels == alone).all()
    assert (alone == truth).mean() > 0.95


def test_the_default_is_a_relative_number_of_documents() -> None:
    items = np.random.default_rng(0).normal(size=(200, 4)).astype(np.float32)
    few = SeededPrototypes().fit(items, [np.eye(4)[[c]] for c in range(4)])
    assert [chosen.size for chosen in few.selected_] == [20] * 4
    many = SeededPrototypes().fit(items, [items[[c]] for c in range(16)])
    assert [chosen.size for chosen in many.selected_] == [5] * 16


def test_the_authors_default_keeps_one_document() -> None:
    items = np.random.default_rng(0).normal(size=(50, 4)).astype(np.float32)
    model = SeededPrototypes(selection="offset", offset=0).fit(items, [np.eye(4)[:1], np.eye(4)[1:2]])
    assert [chosen.size for chosen in model.selected_] == [1, 1]
    np.testing.assert_array_equal(model.label_vectors_[0], items[model.selected_[0][0]])


def test_ranked_before_anything_is_cut_off() -> None:
    """The best items come last in the pool; the cap must keep them."""
    items = np.array([[1, t] for t in (9.0, 5, 3, 1, 0.5, 0.1)], np.float32)
    model = SeededPrototypes(selection="threshold", threshold=0.0, max_documents=2).fit(items, [[[1, 0]]])
    assert model.selected_[0].tolist() == [5, 4]


def test_a_threshold_nobody_passes_leaves_min_documents() -> None:
    items = np.array([[1, 3.0], [1, 2.0], [1, 1.0]], np.float32)
    for clean in (False, True):
        model = SeededPrototypes(selection="threshold", threshold=0.999, min_documents=2, clean=clean)
        assert model.fit(items, [[[1, 0]]]).selected_[0].tolist() == [2, 1]


def test_cleaning_never_goes_below_min_documents() -> None:
    items, _ = around(np.eye(1, 3) * 5, 12, 0.1)
    items = np.r_[items, [[5.0, 4.0, 0]]].astype(np.float32)
    model = SeededPrototypes(k=13, clean=True, min_documents=13).fit(items, [[[1, 0, 0]]])
    assert model.selected_[0].size == 13


def test_cleaning_drops_the_stray_document() -> None:
    items, _ = around(np.eye(1, 3) * 5, 30, 0.1)
    items = np.r_[items, [[2.0, 2.0, 0]]].astype(np.float32)
    dirty = SeededPrototypes(k=31).fit(items, [[[1, 0, 0]]])
    clean = SeededPrototypes(k=31, clean=True).fit(items, [[[1, 0, 0]]])
    assert 30 in dirty.selected_[0]
    assert 30 not in clean.selected_[0]
    assert abs(clean.label_vectors_[0, 1]) < abs(dirty.label_vectors_[0, 1])


def test_k_above_the_number_of_items_takes_all() -> None:
    items = np.eye(3, dtype=np.float32)
    model = SeededPrototypes(k=50, min_documents=20).fit(items, [[[1, 0, 0]]])
    assert sorted(model.selected_[0]) == [0, 1, 2]


def test_keywords_weigh_the_same_whatever_their_length() -> None:
    items = np.eye(2, dtype=np.float32)
    model = SeededPrototypes(k=1).fit(items, [[[100.0, 0], [0, 1.0]]])
    np.testing.assert_allclose(model.seed_vectors_, [[0.5, 0.5]])


def test_equal_classes_warn_and_go_to_the_first() -> None:
    items = np.random.default_rng(0).normal(size=(20, 4)).astype(np.float32)
    seeds = [np.eye(4)[[0, 1]], np.eye(4)[[2]], np.eye(4)[[1, 0]]]
    with pytest.warns(UserWarning, match="class 'a' and class 'c' have the same seeds"):
        model = SeededPrototypes().fit(items, seeds, names=["a", "b", "c"])
    assert 2 not in model.predict(items).labels
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        SeededPrototypes().fit(items, seeds[:2])


def test_confidence_is_a_softmax_and_does_not_overflow() -> None:
    items = np.array([[1, 0], [1, 1], [0, 0]], np.float32)
    found = nearest(items, np.eye(2), temperature=1 / 20)
    expected = np.exp(20.0) / (np.exp(20.0) + 1)
    np.testing.assert_allclose(found.confidence, [expected, 0.5, 0.5], rtol=1e-5)
    tiny = nearest(items, np.eye(2), temperature=1e-6).confidence
    assert np.isfinite(tiny).all()
    assert tiny[0] == 1.0


def test_multivector_seeds() -> None:
    items = np.eye(2, dtype=np.float32)
    seeds = ragged([[[1, 0]], [[0, 1], [0, 2]]], 2)
    assert SeededPrototypes(k=1).fit(items, seeds).predict(items).labels.tolist() == [0, 1]


@pytest.mark.parametrize(
    ("parameters", "items", "seeds", "message"),
    [
        ({}, np.empty((0, 2)), [[[1, 0]]], "no items"),
        ({}, np.eye(2), [], "no classes"),
        ({}, np.eye(2), [[[1, 0]], np.empty((0, 2))], "class 1 has no seed"),
        ({}, np.eye(2), [[[1, 0, 0]]], "3 dimensions, but 2"),
        ({}, np.eye(2), [[[0, 0]]], "class 0: its seed vectors are all zero"),
        ({}, np.eye(2), [[[np.nan, 0]]], "NaN"),
        ({"k": 0}, np.eye(2), [[[1, 0]]], "k is 0"),
        ({"selection": "best"}, np.eye(2), [[[1, 0]]], "selection is 'best'"),
        ({"selection": "threshold"}, np.eye(2), [[[1, 0]]], "needs a threshold"),
        ({"offset": -1}, np.eye(2), [[[1, 0]]], "offset is -1"),
        ({"temperature": 0}, np.eye(2), [[[1, 0]]], "temperature is 0"),
        ({"min_documents": 3, "max_documents": 2}, np.eye(2), [[[1, 0]]], "max_documents is 2"),
    ],
)
def test_bad_input_is_named(parameters: dict[str, object], items: np.ndarray, seeds: list, message: str) -> None:
    with pytest.raises(InputError, match=message):
        SeededPrototypes(**parameters).fit(items, seeds)  # type: ignore[arg-type]


def test_wrong_use_is_named() -> None:
    with pytest.raises(InputError, match="call fit first"):
        SeededPrototypes().predict(np.eye(2))
    with pytest.raises(InputError, match="2 names for 1 classes"):
        SeededPrototypes().fit(np.eye(2), [[[1, 0]]], names=["a", "b"])
    with pytest.raises(InputError, match="3 dimensions"):
        SeededPrototypes().fit(np.eye(2), [[[1, 0]]]).predict(np.eye(3))
