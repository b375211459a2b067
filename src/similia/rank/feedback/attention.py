"""One layer of attention from a query to itself and to the documents of its feedback, with its gradient."""

from __future__ import annotations

from typing import Any, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from similia.types import Bool

Floats: TypeAlias = npt.NDArray[np.floating[Any]]
Parameters: TypeAlias = dict[str, Floats]
NAMES = ("ranks", "asks", "answers", "passes", "reads", "writes")
TINY = 1e-12


class Trace(NamedTuple):
    """What the forward pass leaves for the backward one."""

    tokens: Floats  # (b, K + 1, d)
    seen: Floats  # (b, h, a), the query as each head asks
    probe: Floats  # (b, h, d), the same in the space of the tokens
    share: Floats  # (b, h, K + 1), attention
    mean: Floats  # (b, h, d), attended mean of the tokens
    read: Floats  # (b, h, r)
    length: Floats  # (b, 1)
    unit: Floats  # (b, d)


def new_parameters(dimension: int, feedback: int, heads: int, width: int, random: np.random.Generator) -> Parameters:
    """Small random weights, and zeros where the output is made: at first the query comes out as it went in.

    Returns:
        ``ranks`` (K + 1, d): added to the query and to the document of each rank. ``asks`` and ``answers``
        (h, d, a): attention is softmax((x0 asks) . (xj answers)). ``passes`` (h,) and ``reads`` (h, d, r), ``writes``
        (h, r, d): a head adds passes * mean + mean reads writes, its attended mean as it is and through few dimensions.
    """
    scale = 1 / np.sqrt(width)
    shared = random.normal(size=(heads, dimension, width)) * scale
    return {
        "ranks": (random.normal(size=(feedback + 1, dimension)) * 0.01).astype(np.float32),
        "asks": shared.astype(np.float32),
        "answers": shared.astype(np.float32),  # the same at first: documents near the query are attended to
        "passes": np.zeros(heads, np.float32),
        "reads": (random.normal(size=(heads, dimension, width)) * scale).astype(np.float32),
        "writes": np.zeros((heads, width, dimension), np.float32),
    }


def forward(parameters: Parameters, queries: Floats, feedback: Floats, there: Bool, itself: bool = True) -> Trace:
    """New queries of length 1.

    Args:
        parameters: of `new_parameters`.
        queries: (b, d) of length 1.
        feedback: (b, K, d) of length 1, best first.
        there: bool (b, K), False at empty places.
        itself: whether the query attends to itself too; without, each needs a document.
    """
    ranks, asks, answers, passes, reads, writes = (parameters[name] for name in NAMES)
    tokens = np.concatenate([queries[:, None], feedback], axis=1) + ranks[: feedback.shape[1] + 1]
    seen = np.einsum("bd,hda->bha", tokens[:, 0], asks, optimize=True)
    probe = np.einsum("bha,hda->bhd", seen, answers, optimize=True)
    logits = probe @ tokens.transpose(0, 2, 1)
    present = np.concatenate([np.full((len(there), 1), itself), there], axis=1)
    logits = np.where(present[:, None], logits, -np.inf)
    raised = np.exp(logits - logits.max(axis=2, keepdims=True))
    share = raised / raised.sum(axis=2, keepdims=True)
    mean = share @ tokens
    read = np.einsum("bhd,hdr->bhr", mean, reads, optimize=True)
    added = np.einsum("bhd,h->bd", mean, passes) + np.einsum("bhr,hrd->bd", read, writes, optimize=True)
    raw = queries + added
    length = np.maximum(np.linalg.norm(raw, axis=1, keepdims=True), TINY)
    return Trace(tokens, seen, probe, share, mean, read, length, raw / length)


def backward(parameters: Parameters, trace: Trace, slope: Floats) -> Parameters:
    """The gradient by each parameter, from the gradient by the new queries (b, d)."""
    ranks, asks, answers, passes, reads, writes = (parameters[name] for name in NAMES)
    tokens, seen, probe, share, mean, read, length, unit = trace
    # Through the division by the length: what points along the vector is lost.
    out = (slope - unit * (unit * slope).sum(axis=1, keepdims=True)) / length
    by_read = np.einsum("bd,hrd->bhr", out, writes, optimize=True)
    by_mean = passes[:, None] * out[:, None] + np.einsum("bhr,hdr->bhd", by_read, reads, optimize=True)
    by_share = by_mean @ tokens.transpose(0, 2, 1)
    by_logits = share * (by_share - (share * by_share).sum(axis=2, keepdims=True))
    by_probe = by_logits @ tokens
    by_seen = np.einsum("bhd,hda->bha", by_probe, answers, optimize=True)
    by_tokens = share.transpose(0, 2, 1) @ by_mean + by_logits.transpose(0, 2, 1) @ probe
    by_tokens[:, 0] += np.einsum("bha,hda->bd", by_seen, asks, optimize=True)
    by_ranks = np.zeros_like(ranks)
    by_ranks[: tokens.shape[1]] = by_tokens.sum(axis=0)
    return {
        "ranks": by_ranks,
        "asks": np.einsum("bd,bha->hda", tokens[:, 0], by_seen, optimize=True),
        "answers": np.einsum("bhd,bha->hda", by_probe, seen, optimize=True),
        "passes": np.einsum("bhd,bd->h", mean, out),
        "reads": np.einsum("bhd,bhr->hdr", mean, by_read, optimize=True),
        "writes": np.einsum("bhr,bd->hrd", read, out, optimize=True),
    }
