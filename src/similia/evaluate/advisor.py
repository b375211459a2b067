"""Which metric and which kind of index suit a set of vectors: a few numbers of it, and a small tree of rules.

The rules were read off seven data sets by their authors: they are defaults to start from, not laws, and every threshold
is a field of `Rules`. On the small sets of the atlas (system 19), always taking Euclidean distance does no worse. Where
there are labels, `similia.evaluate.task_loss` measures what the rules only guess.
Source: Chen et al., *Reveal Hidden Pitfalls and Navigate Next Generation of Vector Similarity Search from Task-Centric
Views* (arXiv 2512.12980, 2025).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from similia.errors import InputError
from similia.measure import geometry
from similia.measure.vectors import TINY, norms
from similia.types import Float32, Int64, as_vectors

_CLUSTERS = 16
_ROUNDS = 25
_NEIGHBOURS = 100


@dataclass(frozen=True)
class MetaFeatures:
    """Numbers of a set of vectors; NaN where one is undefined.

    Attributes:
        count: vectors in the set.
        sampled: those that were looked at.
        dimension: d.
        zeros: zero vectors among those looked at.
        unit: whether all lengths are 1, up to float32 rounding.
        separation_l2, separation_cosine: Davies-Bouldin index; lower where classes are better separated.
        variation: coefficient of variation of the lengths.
        angle: mean angle to the mean vector, degrees.
        contrast: mean distance / nearest distance.
        intrinsic: mean local intrinsic dimensionality.
        classes: "labels", or "clusters" of k-means where no labels were given.
    """

    count: int
    sampled: int
    dimension: int
    zeros: int
    unit: bool
    separation_l2: float
    separation_cosine: float
    variation: float
    angle: float
    contrast: float
    intrinsic: float
    classes: Literal["labels", "clusters"]


@dataclass(frozen=True)
class Rules:
    """The thresholds of `advise`.

    Attributes:
        variation: of lengths, up to which the inner product may be advised.
        angle: degrees, from which partitions are advised.
        contrast: below which partitions are advised.
    """

    variation: float = 0.1
    angle: float = 60.0
    contrast: float = 1.5


@dataclass(frozen=True)
class Advice:
    """What suits, and why.

    Attributes:
        metric: "dot", "l2", "equivalent" where all give one ranking, or None where the rule cannot tell.
        index: "graph" or "partition".
        reasons: sentences.
    """

    metric: Literal["dot", "l2", "equivalent"] | None
    index: Literal["graph", "partition"]
    reasons: tuple[str, ...]


def meta_features(
    vectors: npt.ArrayLike, labels: npt.ArrayLike | None = None, seed: int = 0, *, sample: int = 5_000
) -> MetaFeatures:
    """Measure a set of vectors, or a sample of it.

    Args:
        vectors: (n, d), at least 2.
        labels: (n,), what should be found together; clusters of k-means stand in where None.
        seed: of the sample and of k-means.
        sample: the most vectors that are looked at; contrast and intrinsic dimensionality take a tenth of them, and 200
            at least, as queries.

    Raises:
        InputError: fewer than 2 vectors, labels that do not fit, or a sample below 2.

    Examples:
        >>> found = meta_features([[3, 4], [0, 5], [5, 0]], ["a", "b", "b"])
        >>> found.unit, found.variation, found.classes
        (False, 0.0, 'labels')
    """
    given = as_vectors(vectors)
    named = None if labels is None else np.asarray(labels)
    if len(given) < 2 or sample < 2:
        raise InputError(f"there are {len(given)} vectors, and the sample is {sample}; at least 2 are needed of both")
    if named is not None and named.shape != (len(given),):
        raise InputError(f"labels are {named.shape}; they must be ({len(given)},), one a vector")
    random = np.random.default_rng(seed)
    kept = np.sort(random.choice(len(given), min(sample, len(given)), replace=False))
    looked = given[kept]
    classes = _clusters(looked, random) if named is None else named[kept]
    lengths = norms(looked)
    asked = np.sort(random.choice(len(looked), min(len(looked), max(200, len(looked) // 10)), replace=False))
    distances = geometry.neighbour_distances(looked, min(_NEIGHBOURS, len(looked) - 1), rows=asked)
    dimensions = geometry.local_dimension(distances)
    known = dimensions[~np.isnan(dimensions)]
    return MetaFeatures(
        count=len(given),
        sampled=len(looked),
        dimension=int(given.shape[1]),
        zeros=int((lengths < TINY).sum()),
        unit=bool((np.abs(lengths - 1) <= 1e-5).all()),
        separation_l2=geometry.davies_bouldin(looked, classes),
        separation_cosine=geometry.davies_bouldin(looked, classes, metric="cosine"),
        variation=geometry.norm_variation(looked),
        angle=geometry.relative_angle(looked),
        contrast=geometry.relative_contrast(looked, rows=asked),
        intrinsic=float(known.mean()) if len(known) else math.nan,
        classes="clusters" if named is None else "labels",
    )


def advise(features: MetaFeatures, rules: Rules | None = None) -> Advice:
    """Walk the tree of rules.

    Args:
        features: from `meta_features`.
        rules: other thresholds than the published ones.

    Examples:
        >>> advice = advise(meta_features([[5, 0], [4, 3], [-5, 0], [-4, 3]], ["a", "a", "b", "b"]))
        >>> advice.metric, advice.index
        ('dot', 'partition')
        >>> advise(meta_features([[0, 1], [1, 0]], ["a", "b"])).metric
        'equivalent'
    """
    chosen = rules or Rules()
    metric, first = _metric(features, chosen)
    index, second = _index(features, chosen)
    reasons = [first, second]
    if features.classes == "clusters" and not features.unit:
        reasons.append("No labels were given, so classes are clusters of k-means: they say little about the task.")
    if features.zeros:
        reasons.append(
            f"Of {features.sampled:,} vectors, {features.zeros:,} are zero; angles and cosines leave them out."
        )
    return Advice(metric, index, tuple(reasons))


def _metric(features: MetaFeatures, rules: Rules) -> tuple[Literal["dot", "l2", "equivalent"] | None, str]:
    if features.unit:
        return "equivalent", (
            "All lengths are 1: inner product, cosine and Euclidean distance rank alike, if those of queries are 1 too."
        )
    euclidean, cosine = features.separation_l2, features.separation_cosine
    if math.isnan(euclidean) or math.isnan(cosine):
        return None, "There is but one class, so nothing can be said of the metric."
    apart = (
        f"classes separate by {euclidean:.3g} under Euclidean and {cosine:.3g} under cosine distance (lower is better)"
    )
    if euclidean < cosine:
        return "l2", f"Euclidean distance: {apart}."
    if features.variation > rules.variation:
        return "l2", f"Euclidean distance: lengths vary by {features.variation:.3g}, above {rules.variation:g}."
    return "dot", f"Inner product: {apart}, and lengths vary by {features.variation:.3g}, at most {rules.variation:g}."


def _index(features: MetaFeatures, rules: Rules) -> tuple[Literal["graph", "partition"], str]:
    if math.isnan(features.angle) or features.angle >= rules.angle:
        seen = (
            "no mean direction" if math.isnan(features.angle) else f"a mean angle of {features.angle:.3g} degrees to it"
        )
        return (
            "partition",
            f"Partitions: the vectors spread about their mean widely ({seen}, at least {rules.angle:g}).",
        )
    if features.contrast < rules.contrast:
        return "partition", (
            f"Partitions: the nearest is little nearer than the average ({features.contrast:.3g} times, below "
            f"{rules.contrast:g})."
        )
    return "graph", (
        f"A graph: the mean angle to the mean is {features.angle:.3g} degrees, below {rules.angle:g}, and the nearest "
        f"is {features.contrast:.3g} times nearer than the average."
    )


def _clusters(vectors: Float32, random: np.random.Generator) -> Int64:
    """Clusters of k-means (Lloyd 1982), int64 (n,)."""
    points = vectors - vectors.mean(axis=0)
    count = min(_CLUSTERS, len(points) // 2)
    centres = points[random.choice(len(points), count, replace=False)]
    nearest = np.zeros(len(points), np.int64)
    for _ in range(_ROUNDS):
        before, nearest = nearest, np.argmax(points @ centres.T - np.square(centres).sum(axis=1) / 2, axis=1)
        if (before == nearest).all():
            break
        for cluster in np.unique(nearest):
            centres[cluster] = points[nearest == cluster].mean(axis=0)
    return nearest
