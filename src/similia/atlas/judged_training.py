"""A small encoder that is trained on a positive and k negatives a query, by the distribution of a judge; NumPy only."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from similia.encode.adam import Adam
from similia.rank.judging import Negatives, align_distributions, cyclic, mine_negatives
from similia.types import Int64

Float64: TypeAlias = npt.NDArray[np.float64]
POOL, STEP, K, MARGIN = 50, 5, 8, 0.05
"""The published choice: the 50 nearest, every fifth, 8 of them, .05 below the positive."""
TEMPERATURE = 0.05


class Network:
    """Layers of weights with a rectifier between them, and an output of length 1.

    Args:
        layers: float64 matrices, changed in place.
        rate: of Adam.
    """

    def __init__(self, layers: Sequence[Float64], rate: float) -> None:
        self.layers = list(layers)
        self._steps = [Adam(layer, rate) for layer in self.layers]

    @classmethod
    def random(cls, sizes: Sequence[int], rate: float, random: np.random.Generator) -> Network:
        """Weights of variance 2 / inputs."""
        return cls([random.normal(size=(a, b)) * np.sqrt(2 / a) for a, b in pairwise(sizes)], rate)

    def __call__(self, inputs: Float64) -> Float64:
        """The vectors of some inputs, float64 (n, d)."""
        return self._forward(inputs)[0]

    def _forward(self, inputs: Float64) -> tuple[Float64, Float64, list[Float64]]:
        """Unit vectors, their lengths before, and the input of each layer."""
        seen = [inputs]
        for layer in self.layers[:-1]:
            seen.append(np.maximum(seen[-1] @ layer, 0))
        raw = seen[-1] @ self.layers[-1]
        lengths = np.maximum(np.linalg.norm(raw, axis=1, keepdims=True), 1e-12)
        return raw / lengths, lengths, seen

    def learn(self, queries: Float64, candidates: Float64, grades: Float64, **loss: object) -> float:
        """One step on queries (b, n), their candidates (b, k + 1, n) and the judge's grades (b, k + 1)."""
        count, width = grades.shape
        whole = np.concatenate([queries, candidates.reshape(count * width, -1)])
        unit, lengths, seen = self._forward(whole)
        asked, given = unit[:count], unit[count:].reshape(count, width, -1)
        value, slope = align_distributions(np.einsum("bd,bkd->bk", asked, given), grades, **loss)  # type: ignore[arg-type]
        by_unit = np.concatenate(
            [np.einsum("bk,bkd->bd", slope, given), (slope[:, :, None] * asked[:, None]).reshape(count * width, -1)]
        )
        # Through the division by the length: what points along the vector is lost.
        back = (by_unit - unit * (unit * by_unit).sum(axis=1, keepdims=True)) / lengths
        gradients = []
        for place in range(len(self.layers) - 1, -1, -1):
            gradients.append(seen[place].T @ back)
            back = back @ self.layers[place].T * (seen[place] > 0) if place else back
        for adam, gradient in zip(self._steps, reversed(gradients), strict=True):
            adam.step(gradient)
        return value


def batches(count: int, size: int, steps: int, random: np.random.Generator) -> Iterator[Int64]:
    """As many batches of rows as there are steps, each row once before any comes again."""
    order = np.empty(0, np.int64)
    for _ in range(steps):
        if order.size < size:
            order = np.concatenate([order, random.permutation(count)])
        yield order[:size]
        order = order[size:]


def one_hot(k: int, rows: int) -> Float64:
    """Grades that call the first candidate right and the others wrong."""
    return np.eye(k + 1)[np.zeros(rows, np.int64)]


def map_at_r(vectors: Float64, labels: Int64) -> float:
    """Mean over items of the average precision of the R nearest others, R being how many share the item's label."""
    similarities = vectors @ vectors.T
    np.fill_diagonal(similarities, -np.inf)
    found = []
    for row, label in zip(similarities, labels, strict=True):
        same = int((labels == label).sum()) - 1
        if same:
            right = labels[np.argsort(-row, kind="stable")[:same]] == label
            found.append(float((np.cumsum(right) / np.arange(1, same + 1) * right).sum() / same))
    return float(np.mean(found))


def hardest(
    queries: Float64, items: Float64, count: int, banned: Callable[[int], Sequence[int]]
) -> tuple[Int64, Float64]:
    """The most similar items of each query, without those that are banned for it: places and similarities."""
    places, values = np.empty((len(queries), count), np.int64), np.empty((len(queries), count))
    for row, query in enumerate(queries):
        similar = items @ query
        similar[list(banned(row))] = -np.inf
        places[row] = np.argsort(-similar, kind="stable")[:count]
        values[row] = similar[places[row]]
    return places, values


def fit(network: Network, queries: Float64, candidates: Float64, grades: Float64, labels: str) -> None:
    """One step, with the judge's grades as they are or the first candidate as the only right one."""
    if labels == "soft":
        network.learn(queries, candidates, grades, temperature=TEMPERATURE, kind="jeffreys")
    else:
        hot = one_hot(K, len(queries))
        network.learn(queries, candidates, hot, temperature=TEMPERATURE, grade_temperature=0.01, kind="kl")


def mined(similar: Float64, places: Int64, judge: Float64, gold: Int64, seed: int) -> Negatives:
    """The published choice among the nearest, as places among all."""
    rows = np.arange(len(places))
    found = mine_negatives(
        similar, judge[rows[:, None], places], judge[rows, gold], margin=MARGIN, pool=POOL, step=STEP, k=K, seed=seed
    )
    chosen = np.take_along_axis(places, found.places, axis=1)
    return Negatives(chosen, found.grades, found.fallback, found.removed, found.skipped)


def unfiltered(places: Int64, judge: Float64) -> Negatives:
    """The same cyclic choice without a look at what the judge says."""
    return as_chosen(places[:, cyclic(places.shape[1], STEP)[:K]], judge)


def as_chosen(places: Int64, judge: Float64) -> Negatives:
    """Negatives as they are, with their grades."""
    nothing = np.zeros(len(places), np.int64)
    return Negatives(places, judge[np.arange(len(places))[:, None], places], nothing > 0, nothing, nothing)
