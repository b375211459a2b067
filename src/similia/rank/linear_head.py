"""A linear map over frozen vectors, learned from queries, what answers them, and hard negatives; NumPy only."""

from __future__ import annotations

from typing import Any, Literal, TypeAlias, get_args

import numpy as np
import numpy.typing as npt

from similia.encode.adam import Adam
from similia.errors import InputError
from similia.measure.vectors import normalise
from similia.rank.feedback.losses import info_nce
from similia.types import Float32, Int64, as_vectors

Loss: TypeAlias = Literal["contrast", "triplet"]
Side: TypeAlias = Literal["item", "query"]
Floats = npt.NDArray[np.floating[Any]]


class LinearHead:
    """``normalise(x + x down up)``, with ``down`` (d, r) and ``up`` (r, d): nothing but itself before training.

    Training takes seconds where the encoder itself takes hours, and vectors that are stored are mapped without encoding
    anything again.

    Args:
        rank: r; a small one can change little and so spoil little.
        sides: whether items are mapped as well as queries. With ``query``, what is stored stays as it is.
        loss: ``contrast`` is InfoNCE against the positives of the batch and the negatives given. ``triplet`` asks that
            the positive is nearer than the negative by ``margin``, in Euclidean distance; with the usual margin, which
            vectors of length 1 cannot meet, and a high rate it destroys the vectors.
        temperature: of ``contrast``.
        margin: of ``triplet``.
        epochs: how often each triple is seen.
        rate: the size of a step of Adam.
        decay: how strongly the weights are drawn towards 0, the map towards none at all.
        batch: triples a step.
        seed: same seed, same map.

    Attributes:
        down_: (d, r); empty before `fit`.
        up_: (r, d).

    Raises:
        InputError: a setting that is unknown or out of range.

    Source:
        Training by multiple negatives and the failure of the triplet loss: Steffens, "vstash" (arXiv 2604.15484, 2026),
        there of a whole encoder.

    Examples:
        >>> random = np.random.default_rng(0)
        >>> items = random.normal(size=(60, 8))
        >>> queries = items + random.normal(size=(60, 8)) * [0, 0, 0, 0, 3, 3, 3, 3]
        >>> head = LinearHead(rank=4, epochs=20, rate=0.01, batch=20).fit(queries, items, range(60), range(60))
        >>> before = (normalise(queries) @ normalise(items).T).argmax(1) == range(60)
        >>> after = (head.transform(queries, side="query") @ head.transform(items).T).argmax(1) == range(60)
        >>> bool(after.mean() > before.mean() + 0.2)
        True
    """

    def __init__(
        self,
        *,
        rank: int = 64,
        sides: Literal["both", "query"] = "both",
        loss: Loss = "contrast",
        temperature: float = 0.05,
        margin: float = 5.0,
        epochs: int = 5,
        rate: float = 1e-4,
        decay: float = 1e-3,
        batch: int = 64,
        seed: int = 0,
    ) -> None:
        if sides not in ("both", "query") or loss not in get_args(Loss):
            raise InputError(f"sides is {sides!r}, 'both' or 'query'; loss is {loss!r}, 'contrast' or 'triplet'")
        if min(rank, epochs, batch) < 1:
            raise InputError(f"rank {rank}, epochs {epochs} and batch {batch} must be at least 1")
        if not (temperature > 0 and margin > 0 and rate > 0 and 0 <= decay < 1):
            raise InputError(
                f"temperature {temperature}, margin {margin} and rate {rate} must be above 0, decay {decay} in [0, 1)"
            )
        self.rank, self.sides, self.loss, self.temperature, self.margin = rank, sides, loss, temperature, margin
        self.epochs, self.rate, self.decay, self.batch, self.seed = epochs, rate, decay, batch, seed
        self.down_: Floats = np.empty((0, 0), np.float32)
        self.up_: Floats = np.empty((0, 0), np.float32)

    def fit(
        self,
        queries: npt.ArrayLike,
        items: npt.ArrayLike,
        asked: npt.ArrayLike,
        positives: npt.ArrayLike,
        negatives: npt.ArrayLike | None = None,
    ) -> LinearHead:
        """Learn from triples.

        Args:
            queries: (q, d).
            items: (n, d).
            asked: (t,) the row of ``queries`` of each triple.
            positives: (t,) the row of ``items`` that answers it.
            negatives: (t,) a row of ``items`` that does not; -1 for none. "triplet" needs one in each.

        Returns:
            The head itself.

        Raises:
            InputError: shapes that do not fit, rows that are not there, or no triple.
        """
        known = normalise(as_vectors(items, name="items"))
        given = normalise(as_vectors(queries, name="queries", dimension=known.shape[1]))
        rows = _rows(asked, len(given), "asked", 0)
        right = _rows(positives, len(known), "positives", 0)
        wrong = np.full(rows.size, -1) if negatives is None else _rows(negatives, len(known), "negatives", -1)
        if not rows.size or not rows.size == right.size == wrong.size:
            raise InputError(f"asked {rows.size}, positives {right.size}, negatives {wrong.size}: as many, at least 1")
        if self.loss == "triplet" and (wrong < 0).any():
            raise InputError("loss 'triplet' needs a negative in each triple; -1 stands for none")
        random = np.random.default_rng(self.seed)
        dimension = known.shape[1]
        self.down_ = (random.normal(size=(dimension, self.rank)) / np.sqrt(dimension)).astype(np.float32)
        self.up_ = np.zeros((self.rank, dimension), np.float32)
        steps = Adam(self.down_, self.rate), Adam(self.up_, self.rate)
        for _ in range(self.epochs):
            order = random.permutation(rows.size)
            for start in range(0, order.size, self.batch):
                at = order[start : start + self.batch]
                _, slopes = self._loss(given[rows[at]], known, right[at], wrong[at])
                for adam, slope in zip(steps, slopes, strict=True):
                    adam.step(slope)
                    adam.values *= 1 - self.rate * self.decay
        return self

    def transform(self, vectors: npt.ArrayLike, *, side: Side = "item") -> Float32:
        """The vectors mapped, float32 (n, d), of length 1; a zero vector stays zero.

        Raises:
            InputError: not fitted, or vectors that do not fit.
        """
        if not self.down_.size:
            raise InputError("the head is not fitted; call fit with triples first")
        unit = normalise(as_vectors(vectors, dimension=len(self.down_)))
        if side == "item" and self.sides == "query":
            return unit
        return normalise(unit + (unit @ self.down_) @ self.up_)

    def _loss(
        self, queries: Floats, items: Float32, positives: Int64, negatives: Int64
    ) -> tuple[float, tuple[Floats, Floats]]:
        """The loss of a batch, and its gradient by ``down_`` and ``up_``."""
        there = negatives >= 0
        named = np.concatenate([positives, negatives[there]])
        raw = items[named]
        moved, length = self._mapped(queries)
        given, size = self._mapped(raw) if self.sides == "both" else (raw, np.ones((len(raw), 1), raw.dtype))
        by_query: Floats
        by_item: Floats
        if self.loss == "contrast":
            mask = named[None, :] != positives[:, None]
            mask[np.arange(len(queries)), np.arange(len(queries))] = True
            loss, slope = info_nce(moved @ given.T, np.arange(len(queries)), temperature=self.temperature, mask=mask)
            by_query, by_item = slope @ given, slope.T @ moved
        else:
            loss, by_query, by_item = triplet(moved, given[: len(queries)], given[len(queries) :], self.margin)
        by_down, by_up = self._slopes(queries, moved, length, by_query)
        if self.sides == "both":
            more_down, more_up = self._slopes(raw, given, size, by_item)
            by_down, by_up = by_down + more_down, by_up + more_up
        return loss, (by_down, by_up)

    def _mapped(self, raw: Floats) -> tuple[Floats, Floats]:
        """Unit vectors, and their lengths before."""
        mapped = raw + (raw @ self.down_) @ self.up_
        length = np.maximum(np.linalg.norm(mapped, axis=1, keepdims=True), 1e-12)
        return mapped / length, length

    def _slopes(self, raw: Floats, unit: Floats, length: Floats, by_unit: Floats) -> tuple[Floats, Floats]:
        # Through the division by the length: what points along the vector is lost.
        out = (by_unit - unit * (unit * by_unit).sum(axis=1, keepdims=True)) / length
        return raw.T @ (out @ self.up_.T), (raw @ self.down_).T @ out


def triplet(queries: Floats, positives: Floats, negatives: Floats, margin: float) -> tuple[float, Floats, Floats]:
    """The mean of max(0, |q - p| - |q - n| + margin); its gradient by the queries, and by positives then negatives.

    Examples:
        >>> loss, _, _ = triplet(np.array([[0.0, 0]]), np.array([[3.0, 4]]), np.array([[0.0, 1]]), 1.0)
        >>> loss
        5.0
    """
    near, far = queries - positives, queries - negatives
    near_length = np.maximum(np.linalg.norm(near, axis=1, keepdims=True), 1e-9)
    far_length = np.maximum(np.linalg.norm(far, axis=1, keepdims=True), 1e-9)
    over = near_length - far_length + margin
    weight = (over > 0) / max(len(queries), 1)
    to_positive, to_negative = weight * near / near_length, weight * far / far_length
    loss = float((weight * over).sum())
    return loss, to_positive - to_negative, np.concatenate([-to_positive, to_negative])


def _rows(given: npt.ArrayLike, count: int, name: str, least: int) -> Int64:
    rows = np.asarray(given)
    if rows.ndim != 1 or (rows.size and not np.issubdtype(rows.dtype, np.integer)):
        raise InputError(f"{name} has shape {rows.shape}; expected whole numbers of shape (t,)")
    if rows.size and (rows.min() < least or rows.max() >= count):
        raise InputError(f"{name} names row {rows.min()} or {rows.max()}; there are {count}")
    return rows.astype(np.int64)
