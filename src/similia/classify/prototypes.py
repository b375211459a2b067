"""Labels without training: keywords find documents, the mean of those documents is the class.

One Rocchio step. Source: Schopf, Braun and Matthes, Evaluating Unsupervised Text Classification: Zero-shot and
Similarity-based Approaches (NLPIR 2022), the method Lbl2TransformerVec.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from similia.classify.outliers import inliers
from similia.errors import InputError
from similia.types import Float32, Int64, MultiVector, as_vectors

SHARE_OF_ITEMS = 0.10
"""At most this share of the pool stands for a class by default."""

SHARE_OF_CLASS = 0.40
"""At most this share of an even class (n / classes) stands for it by default; 10 % of the pool for up to 4 classes."""

TEMPERATURE = 1 / 20
"""Softmax temperature of the confidence, as in the authors' code."""


EQUAL = 1 - 1e-6
"""Above this cosine two classes are described alike: the same keywords, up to rounding."""


class Prediction(NamedTuple):
    """What `SeededPrototypes.predict` says of n items.

    Attributes:
        labels: int64 (n,) class of the highest score; of equal ones the first.
        scores: float32 (n, classes) cosine to each class.
        confidence: float32 (n,) share of the chosen class in the softmax of scores / temperature.
    """

    labels: Int64
    scores: Float32
    confidence: Float32


class SeededPrototypes:
    """One vector a class: the mean of the items that the class's seeds (keyword vectors) retrieve.

    The seeds only choose items; they are not part of the class vector. Fit on one pool of items and predict another,
    or the same.

    Args:
        selection: which items stand for a class. ``top``: the k most similar to the mean seed. ``threshold``: those
            with a cosine above ``threshold``. ``offset``: those above the best cosine less ``offset`` (the authors'
            rule; with their default offset of 0 one document stands for each class).
        k: for ``top``; 10 % of the items, or 40 % of an even class (n / classes) if that is less, where None.
        threshold: for ``threshold``, a cosine.
        offset: for ``offset``, 0 or more.
        min_documents: how many items stand for a class at the least, whatever the selection and the cleaning leave.
        max_documents: how many at the most, the most similar first; no limit where None.
        clean: whether local outliers are dropped from what was selected (classic Lbl2Vec).
        neighbours: of the local outlier factor.
        temperature: of the confidence.

    Attributes:
        label_vectors_: float32 (classes, d), means of the selected item vectors (not of unit length).
        seed_vectors_: float32 (classes, d), means of the unit-length seeds.
        selected_: for each class int64 (m,), positions of the items that stand for it, most similar first.
        names_: the class names, or None.

    Examples:
        >>> items = np.array([[1, 0], [0.9, 0.2], [0, 1], [0.1, 0.8]], dtype=np.float32)
        >>> model = SeededPrototypes(k=2).fit(items, [[[1, 0]], [[0, 1]]])
        >>> model.predict(items).labels.tolist()
        [0, 0, 1, 1]
    """

    label_vectors_: Float32
    seed_vectors_: Float32
    selected_: tuple[Int64, ...]
    names_: tuple[str, ...] | None

    def __init__(
        self,
        *,
        selection: Literal["top", "threshold", "offset"] = "top",
        k: int | None = None,
        threshold: float | None = None,
        offset: float = 0.3,
        min_documents: int = 1,
        max_documents: int | None = None,
        clean: bool = False,
        neighbours: int = 20,
        temperature: float = TEMPERATURE,
    ) -> None:
        self.selection = selection
        self.k = k
        self.threshold = threshold
        self.offset = offset
        self.min_documents = min_documents
        self.max_documents = max_documents
        self.clean = clean
        self.neighbours = neighbours
        self.temperature = temperature

    def fit(
        self,
        items: npt.ArrayLike,
        seeds: MultiVector | Sequence[npt.ArrayLike],
        *,
        names: Sequence[str] | None = None,
    ) -> SeededPrototypes:
        """Find the items of each class and take their mean.

        Args:
            items: float32 (n, d), n at least 1.
            seeds: the keyword vectors of each class, (m_c, d) with m_c at least 1.
            names: the class names, for errors and warnings.

        Returns:
            self

        Raises:
            InputError: no items, no classes, a class without seeds, other dimensions, parameters out of range.
        """
        self._check()
        vectors = as_vectors(items, name="items")
        if len(vectors) == 0:
            raise InputError("there are no items to find the classes in")
        self.names_ = None if names is None else tuple(names)
        self.seed_vectors_ = self._seed_means(seeds, vectors.shape[1])
        self._warn_of_equals()
        similarity = unit(vectors) @ unit(self.seed_vectors_).T
        self.selected_ = tuple(self._select(similarity[:, c], vectors) for c in range(similarity.shape[1]))
        means = [vectors[chosen].mean(axis=0, dtype=np.float64) for chosen in self.selected_]
        self.label_vectors_ = np.ascontiguousarray(means, dtype=np.float32)
        return self

    def predict(self, vectors: npt.ArrayLike) -> Prediction:
        """Label items; not those of the fit alone.

        Raises:
            InputError: not fitted, or another dimension.
        """
        if not hasattr(self, "label_vectors_"):
            raise InputError("SeededPrototypes has no classes yet; call fit first")
        return nearest(vectors, self.label_vectors_, temperature=self.temperature)

    def _check(self) -> None:
        if self.selection not in ("top", "threshold", "offset"):
            raise InputError(f"selection is {self.selection!r}; it is 'top', 'threshold' or 'offset'")
        if self.selection == "threshold" and self.threshold is None:
            raise InputError("selection 'threshold' needs a threshold, a cosine between -1 and 1")
        for name, value in (
            ("k", self.k),
            ("min_documents", self.min_documents),
            ("max_documents", self.max_documents),
        ):
            if value is not None and value < 1:
                raise InputError(f"{name} is {value}; at least 1 item must stand for a class")
        if self.max_documents is not None and self.max_documents < self.min_documents:
            raise InputError(f"max_documents is {self.max_documents}, below min_documents, {self.min_documents}")
        if self.offset < 0:
            raise InputError(f"offset is {self.offset}; it is taken off the best cosine, so it is 0 or more")
        if self.temperature <= 0:
            raise InputError(f"temperature is {self.temperature}; it must be above 0")

    def _seed_means(self, seeds: MultiVector | Sequence[npt.ArrayLike], dimension: int) -> Float32:
        means = []
        for number, given in enumerate(seeds):
            name = self._name(number)
            if np.size(given) == 0:
                raise InputError(f"{name} has no seed vectors; give at least one keyword")
            # Every keyword weighs the same, whatever its vector's length.
            mean = unit(as_vectors(given, name=f"seeds of {name}", dimension=dimension)).mean(axis=0)
            if not mean.any():
                raise InputError(f"{name}: its seed vectors are all zero or cancel out, so they point nowhere")
            means.append(mean)
        if not means:
            raise InputError("there are no classes; give seed vectors for at least one")
        if self.names_ is not None and len(self.names_) != len(means):
            raise InputError(f"{len(self.names_)} names for {len(means)} classes; there must be as many")
        return np.ascontiguousarray(means, dtype=np.float32)

    def _warn_of_equals(self) -> None:
        direction = unit(self.seed_vectors_)
        first = (direction @ direction.T > EQUAL).argmax(axis=1)
        for number in np.flatnonzero(first < np.arange(first.size)):
            warnings.warn(
                f"{self._name(int(first[number]))} and {self._name(int(number))} have the same seeds, so nothing can "
                f"tell them apart; every item of either goes to {self._name(int(first[number]))}",
                stacklevel=3,
            )

    def _name(self, number: int) -> str:
        names = self.names_ or ()
        return f"class {names[number]!r}" if number < len(names) else f"class {number}"

    def _select(self, similarity: Float32, vectors: Float32) -> Int64:
        ranked = np.argsort(-similarity, kind="stable")  # ranked before anything is cut off
        chosen = ranked[: self._count(similarity[ranked])]
        if self.clean and chosen.size > 2:
            kept = chosen[inliers(vectors[chosen], self.neighbours)]
            chosen = kept if kept.size >= self.min_documents else chosen[: self.min_documents]
        return chosen.astype(np.int64)

    def _count(self, falling: Float32) -> int:
        """How many of the best stand for the class, given their similarities from best to worst."""
        if self.selection == "top":
            count = default_k(falling.size, len(self.seed_vectors_)) if self.k is None else self.k
        else:
            least = self.threshold if self.selection == "threshold" else float(falling[0]) - self.offset
            count = int((falling > np.float32(least)).sum())
        most = falling.size if self.max_documents is None else min(self.max_documents, falling.size)
        return min(max(count, self.min_documents), most)


def default_k(items: int, classes: int) -> int:
    """How many items stand for a class by default: 10 % of all, or 40 % of an even class if that is less.

    Examples:
        >>> default_k(7600, 4), default_k(7600, 20), default_k(3, 4)
        (760, 152, 1)
    """
    return max(1, round(min(SHARE_OF_ITEMS * items, SHARE_OF_CLASS * items / classes)))


def nearest(vectors: npt.ArrayLike, label_vectors: npt.ArrayLike, *, temperature: float = TEMPERATURE) -> Prediction:
    """Label each item by the class vector with the highest cosine.

    Args:
        vectors: float32 (n, d).
        label_vectors: float32 (classes, d).
        temperature: above 0; the lower, the surer the confidence.

    Raises:
        InputError: other dimensions.

    Examples:
        >>> nearest([[1.0, 0.1]], [[0.0, 1.0], [1.0, 0.0]]).labels.tolist()
        [1]
    """
    labels = as_vectors(label_vectors, name="label_vectors")
    scores = unit(as_vectors(vectors, dimension=labels.shape[1])) @ unit(labels).T
    logits = (scores - scores.max(axis=1, keepdims=True)) / temperature
    # The best class has logit 0, hence exp(0) = 1 over the sum.
    confidence = 1.0 / np.exp(logits).sum(axis=1)
    return Prediction(scores.argmax(axis=1), scores, confidence.astype(np.float32))


def unit(vectors: Float32) -> Float32:
    """Rows at length 1; a zero row stays zero."""
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.ascontiguousarray(vectors / np.where(length > 0, length, 1), dtype=np.float32)
