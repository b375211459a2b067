"""Hard negatives that a judge has looked at, and the loss that learns from its grades; NumPy only.

Source: Gu et al., UniME-V2: MLLM-as-a-Judge for Universal Multimodal Embedding Learning (AAAI 2026, arXiv 2510.13515).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

import numpy as np
import numpy.typing as npt

from similia.errors import InputError
from similia.rank.judging.base import Float64
from similia.types import Bool, Int64

Divergence: TypeAlias = Literal["jeffreys", "kl", "js"]


@dataclass(frozen=True, eq=False)
class Negatives:
    """Chosen negatives of each query.

    Attributes:
        places: int64 (q, k), which of a query's candidates; -1 where it has none at all.
        grades: float64 (q, k), what the judge said of each; 1.0 for a fallback, as published, -inf where there is none.
        fallback: bool (q,), where every candidate looked like a false negative, and random ones were taken.
        removed: int64 (q,), how many candidates were taken for false negatives.
        skipped: int64 (q,), how many had no usable grade.
    """

    places: Int64
    grades: Float64
    fallback: Bool
    removed: Int64
    skipped: Int64


def cyclic(count: int, step: int) -> Int64:
    """Ranks 0, step, 2 step, ..., then 1, step + 1, ...: near and far ones in turn, each once.

    Examples:
        >>> cyclic(7, 3).tolist()
        [0, 3, 6, 1, 4, 2, 5]
    """
    if count < 0 or step < 1:
        raise InputError(f"count {count}, step {step}: at least 0 and 1 are needed")
    ranks = [np.arange(start, count, step) for start in range(min(step, count))]
    return np.concatenate([np.empty(0, np.int64), *ranks]).astype(np.int64)


def mine_negatives(
    similarities: npt.ArrayLike,
    grades: npt.ArrayLike,
    positive: npt.ArrayLike,
    *,
    below: float | None = None,
    margin: float = 0.05,
    pool: int = 50,
    step: int = 5,
    k: int = 8,
    seed: int = 0,
) -> Negatives:
    """Pick k negatives a query that are hard, varied, and in the judge's eyes really negative.

    Of each query's candidates, best first: those of a similarity of ``below`` or more are left out, and the ``pool``
    best of the rest are looked at. Those that the judge grades less than ``margin`` below the positive are taken for
    false negatives and dropped; those without a grade are skipped. What is left is taken in `cyclic` order, and
    over again where it is fewer than k. Where nothing is left, random ones of the pool are taken with grade 1.0.

    Args:
        similarities: (q, n) by the model that found the candidates; -inf for a place without one.
        grades: (q, n) by the judge, NaN where it gave none; None of all is refused.
        positive: (q,) the judge's grade of each query's own positive.
        below: the published delta; None for no limit.
        margin: the published beta.
        pool: candidates that are looked at.
        step: of the cyclic order.
        k: negatives a query.
        seed: of the random ones.

    Raises:
        InputError: shapes that do not fit, a NaN in similarities or positive, or a setting out of range.

    Examples:
        >>> similarities, grades = [[0.9, 0.8, 0.7, 0.6]], [[0.95, 0.2, 0.1, 0.3]]
        >>> mine_negatives(similarities, grades, [0.97], step=2, k=4).places.tolist()
        [[1, 3, 2, 1]]
    """
    found, judged = np.asarray(similarities, dtype=np.float64), np.asarray(grades, dtype=np.float64)
    best = np.asarray(positive, dtype=np.float64)
    if found.ndim != 2 or judged.shape != found.shape or best.shape != (len(found),):
        raise InputError(
            f"similarities {found.shape}, grades {judged.shape}, positive {best.shape}: expected (q, n) twice, and (q,)"
        )
    if np.isnan(found).any() or np.isnan(best).any():
        raise InputError("similarities and positive must hold no NaN; leave out queries whose positive has no grade")
    if min(pool, step, k) < 1:
        raise InputError(f"pool {pool}, step {step}, k {k}: each must be at least 1")
    random = np.random.default_rng(seed)
    places = np.full((len(found), k), -1, np.int64)
    chosen = np.full((len(found), k), -np.inf)
    fallback = np.zeros(len(found), np.bool_)
    removed, skipped = np.zeros(len(found), np.int64), np.zeros(len(found), np.int64)
    for query, (row, own) in enumerate(zip(found, judged, strict=True)):
        order = np.argsort(-row, kind="stable")
        order = order[np.isfinite(row[order])]
        looked = (order if below is None else order[row[order] < below])[:pool]
        usable = looked[~np.isnan(own[looked])]
        kept = usable[own[usable] <= best[query] - margin]
        skipped[query], removed[query] = looked.size - usable.size, usable.size - kept.size
        if kept.size:
            places[query] = np.resize(kept[cyclic(kept.size, step)], k)
            chosen[query] = own[places[query]]
        elif looked.size:
            places[query] = random.choice(looked, k, replace=looked.size < k)
            chosen[query], fallback[query] = 1.0, True
    return Negatives(places, chosen, fallback, removed, skipped)


def align_distributions(
    similarities: npt.ArrayLike,
    grades: npt.ArrayLike,
    *,
    temperature: float = 0.02,
    grade_temperature: float | None = None,
    kind: Divergence = "jeffreys",
) -> tuple[float, Float64]:
    """How far the model's view of its candidates is from the judge's, and which way is downhill.

    With P = softmax(similarities / temperature) and Q = softmax(grades / grade_temperature) over each row, the mean
    over rows of (KL(P || Q) + KL(Q || P)) / 2 ("jeffreys", as published), KL(Q || P) ("kl"), or the Jensen-Shannon
    divergence ("js").

    Args:
        similarities: (q, k + 1), the model's.
        grades: (q, k + 1), the judge's, for the same candidates.
        temperature: of P.
        grade_temperature: of Q; that of P where None. On grades in 0 to 1 a small one makes Q nearly one-hot.
        kind: which divergence.

    Returns:
        The loss, and its gradient by ``similarities``, float64 (q, k + 1). Grades have none: the judge is not trained.

    Raises:
        InputError: shapes that differ, a value that is not finite, no candidate, or a temperature that is not positive.

    Examples:
        >>> loss, _ = align_distributions([[0.5, 0.1]], [[0.7, 0.3]])  # equal up to a constant
        >>> round(loss, 12)
        0.0
    """
    own, given = np.asarray(similarities, dtype=np.float64), np.asarray(grades, dtype=np.float64)
    if own.ndim != 2 or own.shape != given.shape or own.shape[1] == 0:
        raise InputError(f"similarities {own.shape} and grades {given.shape} must both be (q, candidates)")
    if not (np.isfinite(own).all() and np.isfinite(given).all()):
        raise InputError("similarities and grades must be finite numbers; leave out candidates without a grade")
    softness = temperature if grade_temperature is None else grade_temperature
    if not (temperature > 0 and softness > 0):
        raise InputError(f"temperatures {temperature} and {softness} must be positive")
    if kind not in get_args(Divergence):
        raise InputError(f"divergence {kind!r} is unknown; there are {', '.join(get_args(Divergence))}")
    if not len(own):
        return 0.0, np.empty_like(own)
    log_p, log_q = _log_softmax(own / temperature), _log_softmax(given / softness)
    p, q = np.exp(log_p), np.exp(log_q)
    if kind == "kl":
        losses = (q * (log_q - log_p)).sum(axis=1)
        by_logit = p - q
    elif kind == "js":
        log_m = np.logaddexp(log_p, log_q) - np.log(2)
        losses = ((p * (log_p - log_m)).sum(axis=1) + (q * (log_q - log_m)).sum(axis=1)) / 2
        by_logit = _through_softmax(p, (log_p - log_m) / 2)
    else:
        losses = ((p - q) * (log_p - log_q)).sum(axis=1) / 2
        by_logit = (_through_softmax(p, log_p - log_q) + p - q) / 2
    return float(losses.mean()), by_logit / temperature / len(own)


def _log_softmax(values: Float64) -> Float64:
    shifted = values - values.max(axis=1, keepdims=True)
    logs: Float64 = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    return logs


def _through_softmax(p: Float64, slope: Float64) -> Float64:
    """The gradient by logits of sum(p * slope), where slope's own change does not count or cancels."""
    gradient: Float64 = p * (slope - (p * slope).sum(axis=1, keepdims=True))
    return gradient
