"""One block of cross-attention from the tokens of a query to those of an item, and a pointer, with their gradient.

The generator of the published system, which writes out the part that answers, is a pointer here: from the mean of what
the query read it says how likely each token of the item belongs to that part. It does not see the query itself, for
then it would find the part by that, and attention would learn nothing.
"""

from __future__ import annotations

from typing import Any, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from similia.types import Bool

Floats: TypeAlias = npt.NDArray[np.floating[Any]]
Parameters: TypeAlias = dict[str, Floats]
NAMES = ("query_head", "item_head", "asks", "answers", "reads", "writes", "points", "pointed")
SHARPNESS = 10.0
"""What products of token vectors, which have length 1, are multiplied by before a softmax."""


class Batch(NamedTuple):
    """Token vectors of pairs of a query and an item; rows of zeros where a text has fewer tokens."""

    queries: Floats  # (b, p, d)
    asked: Bool  # (b, p), False at padding
    items: Floats  # (b, t, d)
    there: Bool  # (b, t)
    target: Bool  # (b, t), the tokens that answer; at least one a pair


class Trace(NamedTuple):
    """What the forward pass leaves for the backward one."""

    headed: Floats  # (b, p, d), query tokens after the head
    seen: Floats  # (b, p, h, a), the same as each head asks
    keys: Floats  # (d, h, a), answers seen from the tokens of the item
    attention: Floats  # (b, h, p, t)
    attended: Floats  # (b, h, d), mean over the query's tokens of what was attended to
    passed: Floats  # (b, h, d), the same after the head of the items
    read: Floats  # (b, h, a)
    pooled: Floats  # (b, d), what was read, mean over the query's tokens
    pointing: Floats  # (b, r)
    pointer: Floats  # (b, d), in the space of the tokens of the item
    chances: Floats  # (b, t), of each token of the item


def new_parameters(
    dimension: int, heads: int, width: int, random: np.random.Generator, *, alike: bool = True
) -> Parameters:
    """Heads that change nothing, and random projections for the rest.

    Args:
        dimension: d, of a token.
        heads: h.
        width: a, of each head and of the pointer's projection times h.
        random: draws them.
        alike: whether query and item are projected alike at first, so that attention starts near the cosine of tokens.

    Returns:
        ``query_head`` and ``item_head`` (d, d), which the vectors for retrieval go through too; ``asks`` and
        ``answers`` (d, h, a), attention is softmax((q asks) . (t answers)); ``reads`` (d, h, a) and ``writes``
        (h, a, d), what a head adds to the query; ``points`` and ``pointed`` (d, h a), of the pointer.
    """

    def draw(*shape: int) -> Floats:
        values: Floats = (random.normal(size=shape) / np.sqrt(width)).astype(np.float32)
        return values

    asks, reads, points = draw(dimension, heads, width), draw(dimension, heads, width), draw(dimension, heads * width)
    points /= np.float32(np.sqrt(heads))
    return {
        "query_head": np.eye(dimension, dtype=np.float32),
        "item_head": np.eye(dimension, dtype=np.float32),
        "asks": asks,
        "answers": asks.copy() if alike else draw(dimension, heads, width),
        "reads": reads,
        # Reading and writing back give what was attended to, in expectation; all heads together, its mean.
        "writes": np.ascontiguousarray(reads.transpose(1, 2, 0)) / np.float32(heads),
        "points": points,
        "pointed": points.copy(),
    }


def softmax(logits: Floats, there: Bool) -> Floats:
    """Along the last axis, over what is there; zeros where nothing is."""
    masked = np.where(there, logits, -np.inf)
    highest = masked.max(axis=-1, keepdims=True)
    raised = np.exp(masked - np.where(np.isfinite(highest), highest, 0))
    total = raised.sum(axis=-1, keepdims=True)
    shares: Floats = raised / np.where(total > 0, total, 1)
    return shares


def attend(
    parameters: Parameters, queries: Floats, items: Floats, there: Bool
) -> tuple[Floats, Floats, Floats, Floats]:
    """Attention (b, h, p, t) and what it is made of; see `Trace`."""
    asks, answers = parameters["asks"], parameters["answers"]
    dimension, heads, width = asks.shape
    count, length = queries.shape[:2]
    headed = queries @ parameters["query_head"]
    seen = (headed @ asks.reshape(dimension, -1)).reshape(count, length, heads, width)
    keys = (parameters["item_head"] @ answers.reshape(dimension, -1)).reshape(dimension, heads, width)
    # The query goes into the space of the item's tokens, of which there are many more.
    probes = seen.transpose(0, 2, 1, 3) @ keys.transpose(1, 2, 0)
    logits = probes.reshape(count, heads * length, dimension) @ items.transpose(0, 2, 1)
    logits *= np.float32(SHARPNESS)
    attention = softmax(logits.reshape(count, heads, length, -1), there[:, None, None])
    return headed, seen, keys, attention


def forward(parameters: Parameters, batch: Batch) -> Trace:
    """Attention, what was read, and the chances of the item's tokens."""
    headed, seen, keys, attention = attend(parameters, batch.queries, batch.items, batch.there)
    share = _shares(batch.asked)
    attended = np.einsum("bp,bhpt->bht", share, attention, optimize=True) @ batch.items
    passed = attended @ parameters["item_head"]
    read = np.einsum("bhd,dha->bha", passed, parameters["reads"], optimize=True)
    pooled = np.einsum("bha,had->bd", read, parameters["writes"], optimize=True)
    pointing = pooled @ parameters["points"]
    pointer = pointing @ parameters["pointed"].T @ parameters["item_head"].T
    chances = softmax(np.float32(SHARPNESS) * np.einsum("bd,btd->bt", pointer, batch.items, optimize=True), batch.there)
    return Trace(headed, seen, keys, attention, attended, passed, read, pooled, pointing, pointer, chances)


def pointer_loss(trace: Trace, batch: Batch) -> float:
    """The mean over pairs of the cross entropy of the tokens that answer: each counts the same within a pair."""
    logs = np.log(np.maximum(trace.chances, np.finfo(np.float32).tiny))
    return float(-(_shares(batch.target) * logs).sum() / len(logs))


def backward(parameters: Parameters, trace: Trace, batch: Batch) -> Parameters:
    """The gradient of `pointer_loss` by each parameter."""
    item_head, asks, answers, reads, writes, points, pointed = (parameters[name] for name in NAMES[1:])
    dimension, heads, width = asks.shape
    count, length = batch.asked.shape
    sharp = np.float32(SHARPNESS)
    share = _shares(batch.asked)
    # The pointer.
    by_logits = (trace.chances - _shares(batch.target)) / np.float32(count)
    by_pointer = sharp * np.einsum("bt,btd->bd", by_logits, batch.items, optimize=True)
    turned = trace.pointing @ pointed.T
    by_turned = by_pointer @ item_head
    by_item_head = by_pointer.T @ turned
    by_pointing = by_turned @ pointed
    by_pooled = by_pointing @ points.T
    # What the heads wrote.
    by_read = np.einsum("bd,had->bha", by_pooled, writes, optimize=True)
    by_passed = np.einsum("bha,dha->bhd", by_read, reads, optimize=True)
    by_item_head += np.einsum("bhe,bhf->ef", trace.attended, by_passed, optimize=True)
    by_attended = by_passed @ item_head.T
    # Attention: what a token of the query attends to counts by the token's share of the mean.
    by_mean = by_attended @ batch.items.transpose(0, 2, 1)
    inner = (trace.attention * by_mean[:, :, None]).sum(axis=3, keepdims=True)
    by_scores = trace.attention * (by_mean[:, :, None] - inner) * (sharp * share)[:, None, :, None]
    by_probes = (by_scores.reshape(count, heads * length, -1) @ batch.items).reshape(count, heads, length, dimension)
    by_seen = (by_probes @ trace.keys.transpose(1, 0, 2)).transpose(0, 2, 1, 3).reshape(count, length, -1)
    flat_seen = trace.seen.transpose(2, 0, 1, 3).reshape(heads, -1, width)
    flat_probes = by_probes.transpose(1, 0, 2, 3).reshape(heads, -1, dimension)
    by_keys = (flat_probes.transpose(0, 2, 1) @ flat_seen).transpose(1, 0, 2).reshape(dimension, -1)
    by_item_head += by_keys @ answers.reshape(dimension, -1).T
    by_headed = by_seen @ asks.reshape(dimension, -1).T
    rows = batch.queries.reshape(-1, dimension)
    return {
        "query_head": rows.T @ by_headed.reshape(-1, dimension),
        "item_head": by_item_head,
        "asks": (trace.headed.reshape(-1, dimension).T @ by_seen.reshape(-1, heads * width)).reshape(asks.shape),
        "answers": (item_head.T @ by_keys).reshape(answers.shape),
        "reads": np.einsum("bhd,bha->dha", trace.passed, by_read, optimize=True),
        "writes": np.einsum("bha,bd->had", trace.read, by_pooled, optimize=True),
        "points": trace.pooled.T @ by_pointing,
        "pointed": by_turned.T @ trace.pointing,
    }


def _shares(chosen: Bool) -> Floats:
    """1 / n for each of the n that are chosen in a row."""
    shares: Floats = chosen / np.maximum(chosen.sum(axis=1, keepdims=True), 1).astype(np.float32)
    return shares
