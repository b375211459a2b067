"""Meta-features and the rules that read them."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest

from similia.errors import InputError
from similia.evaluate.advisor import Rules, advise, meta_features
from similia.measure import geometry

PLAIN = meta_features(np.random.default_rng(0).normal(size=(40, 3)))


def groups(seed=0, n=300, d=8, *, offset=0.0):
    random = np.random.default_rng(seed)
    labels = random.integers(0, 5, n)
    return (random.normal(size=(5, d))[labels] * 3 + random.normal(size=(n, d)) + offset).astype(np.float32), labels


def made(**changes):
    return dataclasses.replace(PLAIN, **changes)


def test_features_are_those_of_the_room_below() -> None:
    vectors, labels = groups()
    found = meta_features(vectors, labels)
    assert (found.count, found.sampled, found.dimension, found.zeros, found.unit) == (300, 300, 8, 0, False)
    assert found.classes == "labels"
    assert found.separation_l2 == geometry.davies_bouldin(vectors, labels)
    assert found.separation_cosine == geometry.davies_bouldin(vectors, labels, metric="cosine")
    assert found.variation == geometry.norm_variation(vectors)
    assert found.angle == geometry.relative_angle(vectors)
    assert 1 < found.intrinsic < 8
    assert found.contrast > 1


def test_samples_are_of_the_seed() -> None:
    vectors, labels = groups(n=900)
    one, same, other = (meta_features(vectors, labels, seed, sample=300) for seed in (1, 1, 2))
    assert one == same != other
    assert one.sampled == 300
    whole = meta_features(vectors, labels)
    assert one.variation == pytest.approx(whole.variation, rel=0.2)
    assert meta_features(vectors, seed=3) == meta_features(vectors, seed=3)


def test_clusters_stand_in_for_labels_and_it_is_said() -> None:
    vectors, _ = groups()
    found = meta_features(vectors)
    assert found.classes == "clusters"
    assert found.separation_l2 < 3
    assert any("No labels" in reason for reason in advise(found).reasons)


def test_the_metric() -> None:
    better = {"separation_l2": 2.0, "separation_cosine": 1.0, "variation": 0.1}
    assert advise(made(**better)).metric == "dot"
    assert advise(made(**better | {"separation_cosine": 2.0})).metric == "dot"
    assert advise(made(**better | {"variation": 0.11})).metric == "l2"
    assert advise(made(**better | {"variation": 0.11}), Rules(variation=0.2)).metric == "dot"
    assert advise(made(**better | {"separation_cosine": 2.1})).metric == "l2"
    assert advise(made(**better | {"unit": True})).metric == "equivalent"
    assert advise(made(**better | {"separation_l2": math.nan})).metric is None


def test_the_index() -> None:
    narrow = {"angle": 59.0, "contrast": 1.5}
    assert advise(made(**narrow)).index == "graph"
    assert advise(made(**narrow | {"angle": 60.0})).index == "partition"
    assert advise(made(**narrow | {"angle": math.nan})).index == "partition"
    assert advise(made(**narrow | {"contrast": 1.49})).index == "partition"
    assert advise(made(**narrow | {"angle": 70.0}), Rules(angle=80)).index == "graph"


def test_odd_sets() -> None:
    vectors, labels = groups()
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    assert advise(meta_features(unit, labels)).metric == "equivalent"
    one_class = advise(meta_features(vectors, np.zeros(len(vectors))))
    assert one_class.metric is None
    assert "one class" in one_class.reasons[0]
    vectors[:3] = 0
    with_zeros = meta_features(vectors, labels)
    assert with_zeros.zeros == 3
    assert "3 are zero" in advise(with_zeros).reasons[-1]
    same = meta_features(np.ones((4, 2)), [0, 0, 1, 1])
    assert math.isnan(same.intrinsic)
    assert math.isnan(same.contrast)
    assert same.separation_l2 == math.inf
    assert advise(same).metric
    assert meta_features(np.zeros((3, 2))).zeros == 3
    assert meta_features([[1, 2], [3, 4]]).count == 2


def test_what_cannot_be_is_refused() -> None:
    for call, words in (
        (lambda: meta_features([[1, 2]]), "there are 1 vectors"),
        (lambda: meta_features(np.eye(3), sample=1), "the sample is 1"),
        (lambda: meta_features(np.eye(3), [1]), "labels are \\(1,\\)"),
    ):
        with pytest.raises(InputError, match=words):
            call()
