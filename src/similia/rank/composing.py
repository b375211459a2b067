"""Queries of several parts: one vector for all, or the scores of the parts joined so that each part must be met.

A sum of scores lets an item win on one part alone; a product and the like do not, once the scores of the parts are on
one scale. Between texts the sum finds more all the same (`similia.atlas`, system 99), so it is the default.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeAlias, get_args

import numpy as np
import numpy.typing as npt

from similia.errors import InputError
from similia.measure.vectors import normalise
from similia.types import Float32, as_vectors

How: TypeAlias = Literal["sum", "product", "harris", "min"]
Float64: TypeAlias = npt.NDArray[np.float64]

STRENGTH = 0.1
"""How much the Harris fusion asks that the parts agree, as its authors set it."""


@dataclass(frozen=True, eq=False)
class ComposedQuery:
    """Vectors with weights: what is wanted (above 0), and what is not (below 0).

    Attributes:
        parts: (vector (d,), weight) each; None for a vector, or one of zeros, is a part that is missing.
        vectors: float32 (p, d), of length 1: the parts that are there.
        weights: float64 (p,).
        missing: positions in ``parts`` of those that are not there; the others stand in for them.

    Raises:
        InputError: vectors of different lengths, a weight that is zero, NaN or infinite, or no part with a weight
            above 0 that has a vector.

    Examples:
        >>> query = ComposedQuery([([1, 0], 1), ([0, 3], 1), (None, 2)])
        >>> query.vector().round(3).tolist(), query.missing
        ([0.7070000171661377, 0.7070000171661377], (2,))
    """

    parts: Sequence[tuple[npt.ArrayLike | None, float]]
    vectors: Float32 = field(init=False)
    weights: Float64 = field(init=False)
    missing: tuple[int, ...] = field(init=False)

    def __post_init__(self) -> None:
        rows: list[Float32] = []
        weights: list[float] = []
        missing: list[int] = []
        for place, (vector, weight) in enumerate(self.parts):
            row = None
            if vector is not None:
                dimension = rows[0].shape[1] if rows else None
                row = normalise(as_vectors(vector, name=f"part {place}", dimension=dimension))
                if len(row) != 1:
                    raise InputError(f"part {place} holds {len(row)} vectors; each part is one, of shape (d,)")
            if row is None or not row.any():
                missing.append(place)
            else:
                rows.append(row)
                weights.append(weight)
        found = _weights(weights, len(rows))
        object.__setattr__(self, "vectors", np.concatenate(rows))
        object.__setattr__(self, "weights", found)
        object.__setattr__(self, "missing", tuple(missing))

    def vector(self) -> Float32:
        """The weighted sum of the parts' unit vectors at length 1, float32 (d,).

        Source: Rocchio, Relevance Feedback in Information Retrieval (1971), of unit vectors.

        Raises:
            InputError: the parts cancel each other out.
        """
        total = self.weights @ self.vectors.astype(np.float64)
        length = float(np.linalg.norm(total))
        if length < 1e-6 * np.abs(self.weights).sum():
            raise InputError("the parts of the query cancel each other out; change a weight or leave a part out")
        return np.asarray(total / length, np.float32)


@dataclass(frozen=True)
class ScoreRange:
    """What scores of one kind are measured by: ``(score - low) / scale``, and 0 for what is below ``low``.

    Attributes:
        low: the score that counts as no likeness at all.
        scale: above 0.

    Raises:
        InputError: a scale that is not above 0, or a value that is NaN or infinite.

    Examples:
        >>> ScoreRange(-0.2, 0.4).apply([-0.5, -0.2, 0.2]).round(3).tolist()
        [0.0, 0.0, 1.0]
    """

    low: float
    scale: float

    def __post_init__(self) -> None:
        if not (np.isfinite(self.low) and np.isfinite(self.scale) and self.scale > 0):
            raise InputError(f"low {self.low!r} and scale {self.scale!r} are no range; scale must be above 0")

    @classmethod
    def fit(cls, reference: npt.ArrayLike, *, low: float = 0.0, high: float | None = None) -> ScoreRange:
        """The range of scores of a reference bank: of pairs that are not those to be ranked.

        Args:
            reference: scores of any shape.
            low: the percentile that counts as no likeness; 0, the lowest, as published. One odd pair decides the
                lowest, and a low percentile does not depend on it.
            high: the percentile that becomes 1. Where None, as published: the score 0 becomes 1, so that the lowest
                must not be 0.

        Raises:
            InputError: no scores, NaN or infinity among them, or a range of zero.

        Source:
            Psomas and others, Instance-Level Composed Image Retrieval (NeurIPS 2025).

        Examples:
            >>> ScoreRange.fit([-0.2, 0.1, 0.4])
            ScoreRange(low=-0.2, scale=0.2)
            >>> ScoreRange.fit([-0.2, 0.1, 0.4], high=100).scale.__round__(3)
            0.6
        """
        scores = np.asarray(reference, dtype=np.float64).reshape(-1)
        if not scores.size or not np.isfinite(scores).all():
            raise InputError("a range needs reference scores, all of them finite numbers")
        for name, value in (("low", low), ("high", high)):
            if value is not None and not 0 <= value <= 100:
                raise InputError(f"{name} is {value!r}; it must be a percentile, 0 to 100")
        least = float(np.percentile(scores, low))
        scale = abs(least) if high is None else float(np.percentile(scores, high)) - least
        if not scale > 0:
            raise InputError(
                "the reference scores have a range of zero; take pairs that differ, or a percentile as high"
            )
        return cls(least, scale)

    def apply(self, scores: npt.ArrayLike) -> Float64:
        """Scores on this scale, at least 0, in the shape given."""
        return np.maximum((np.asarray(scores, np.float64) - self.low) / self.scale, 0)


def compose(
    scores: Sequence[npt.ArrayLike | None] | npt.NDArray[np.floating],
    weights: npt.ArrayLike | None = None,
    *,
    how: How = "sum",
    ranges: Sequence[ScoreRange] | None = None,
    strength: float = STRENGTH,
) -> Float32:
    """One score an item from the scores that it has for each part of a query.

    With m parts of weight above 0 (w, brought to sum 1), and their scores s on the scale of ``ranges``:

    - ``sum``: ``sum w s``: an item may win on one part.
    - ``product``: ``prod s^(m w)``: with equal weights the plain product; high only if all are.
    - ``harris``: ``prod s^(m w) - 4 strength (sum w s)^m``: for two parts of equal weight ``a b - strength (a + b)^2``,
      the corner detector of Harris and Stephens. Among items that fail one part, the one that is best at the other
      comes last.
    - ``min``: ``min s``, whatever the weights.

    A part with a weight below 0 takes away ``|w| s^m`` (``|w| s`` for "sum" and "min"), w in units of the sum of the
    weights above 0. So multiplying all scores by one number changes no order. Scores below 0 count as 0, but for
    "sum" without ranges. One part alone is that part.

    Args:
        scores: for each part (q, n), or (n,) for one query; higher is better, -inf for no likeness at all. None is a
            part that is missing: the others stand in for it.
        weights: (parts,), not zero; 1 each where None.
        how: see above.
        ranges: of each part, from a reference bank; None leaves the scores as they are, which is right only where
            those of all parts are on one scale.
        strength: at least 0 and below 1/4, for "harris".

    Returns:
        float32 (q, n), or (n,).

    Raises:
        InputError: scores of different shapes or NaN, no part with a weight above 0, or an unknown ``how``.

    Source:
        Psomas and others, Instance-Level Composed Image Retrieval (NeurIPS 2025), for "harris" and the ranges.

    Examples:
        >>> like, about = [1.0, 0.5, 0.0], [0.0, 0.5, 1.0]
        >>> compose([like, about], how="product").tolist()
        [0.0, 0.25, 0.0]
        >>> compose([like, about], how="harris").round(2).tolist()
        [-0.10000000149011612, 0.15000000596046448, -0.10000000149011612]
        >>> compose([like, about], [1, -1]).tolist()
        [1.0, 0.0, -1.0]
    """
    if how not in get_args(How):
        raise InputError(f"how is {how!r}; there are {', '.join(get_args(How))}")
    if not 0 <= strength < 0.25:
        raise InputError(f"strength is {strength!r}; it must be at least 0 and below 0.25")
    given = np.ones(len(scores)) if weights is None else np.asarray(weights, np.float64)
    if given.shape != (len(scores),):
        raise InputError(f"{len(scores)} parts and weights {given.shape}; there must be one weight a part")
    if ranges is not None and len(ranges) != len(scores):
        raise InputError(f"{len(scores)} parts and {len(ranges)} ranges; there must be one range a part")
    kept = [place for place, part in enumerate(scores) if part is not None]
    signed = _weights(given[kept], len(kept))
    parts = np.stack(_on_one_scale([scores[place] for place in kept], kept, how, ranges))
    wanted, share = parts[signed > 0], signed / signed[signed > 0].sum()
    if how == "min":
        fused, degree = wanted.min(axis=0), 1
    elif how == "sum" or len(wanted) == 1:
        fused, degree = np.tensordot(share[signed > 0], wanted, 1), 1
    else:
        degree = len(wanted)
        powers = (degree * share[signed > 0]).reshape(-1, *[1] * (parts.ndim - 1))
        fused = np.prod(wanted**powers, axis=0)
        if how == "harris":
            fused = fused - 4 * strength * np.tensordot(share[signed > 0], wanted, 1) ** degree
    if (signed < 0).any():
        fused = fused + np.tensordot(share[signed < 0], parts[signed < 0] ** degree, 1)
    return np.asarray(fused, np.float32)


def _weights(weights: npt.ArrayLike, count: int) -> Float64:
    found = np.asarray(weights, np.float64).reshape(-1)
    if not (np.isfinite(found).all() and found.all()):
        raise InputError(
            "the weight of a part must be a finite number, above 0 for what is wanted and below for what not"
        )
    if not (found > 0).any():
        what = "no part that is there has a weight above 0" if count else "there is no part"
        raise InputError(f"{what}; a composed query needs something to look for")
    return found


def _on_one_scale(
    parts: Sequence[npt.ArrayLike | None], places: Sequence[int], how: How, ranges: Sequence[ScoreRange] | None
) -> list[Float64]:
    scaled: list[Float64] = []
    for place, part in zip(places, parts, strict=True):
        values = np.asarray(part, np.float64)
        if values.ndim not in (1, 2) or (scaled and values.shape != scaled[0].shape):
            raise InputError(f"part {place} has scores {values.shape}; all must be (queries, items), or all (items,)")
        if np.isnan(values).any() or np.isposinf(values).any():
            raise InputError(f"part {place} has a score that is NaN or infinite; only -inf, for no likeness, is taken")
        if ranges is not None:
            values = ranges[place].apply(values)
        elif how != "sum":
            values = np.maximum(values, 0)
        scaled.append(values)
    return scaled
