"""The equations of the disambiguated skip-gram: contexts, loss, and gradients, a batch of occurrences at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from similia.encode.adam import Floats
from similia.types import Int64


@dataclass(frozen=True)
class Parameters:
    """All that is learnt, of V words with K senses in D dimensions.

    Attributes:
        senses: (V, K, D), S.
        output: (V, D), O: what a word is as part of a context, and when predicted.
        bias: (V,), of the prediction.
        selectors: (V, D, K), Phi; (1, D, K) where all words share one.
        offsets: (V, K), beta; (1, K) where all words share one.
    """

    senses: Floats
    output: Floats
    bias: Floats
    selectors: Floats
    offsets: Floats


@dataclass(frozen=True)
class Gradients:
    """The loss, in nats a predicted word, and its gradients.

    Attributes:
        words: (m,) the different words of the batch.
        senses: (m, K, D), of these words.
        selectors: (m, D, K), of these words; (1, D, K) where shared.
        offsets: (m, K), likewise.
        output: (V, D).
        bias: (V,).
    """

    loss: float
    words: Int64
    senses: Floats
    selectors: Floats
    offsets: Floats
    output: Floats
    bias: Floats


def occurrences(sentences: Sequence[Sequence[int]], window: int) -> tuple[Int64, Int64]:
    """Every place of every sentence: its word (t,), and the words up to ``window`` places away (t, 2 window).

    Places beyond an end of the sentence hold -1.

    Examples:
        >>> words, contexts = occurrences([[7, 8, 9]], 1)
        >>> words.tolist(), contexts.tolist()
        ([7, 8, 9], [[-1, 8], [7, 9], [8, -1]])
    """
    sizes = np.array([len(sentence) for sentence in sentences], np.int64)
    words = np.array([word for sentence in sentences for word in sentence], np.int64)
    owner = np.repeat(np.arange(len(sentences)), sizes)
    shifts = np.array([*range(-window, 0), *range(1, window + 1)])
    place = np.arange(words.size)[:, None] + shifts
    inside = (place >= 0) & (place < words.size)
    place = np.clip(place, 0, max(0, words.size - 1))
    inside &= owner[place] == owner[:, None]
    return words, np.where(inside, words[place], -1)


def context_vectors(contexts: Int64, output: Floats) -> Floats:
    """The mean of the output vectors of each context (b, D); 0 for an empty one."""
    inside = contexts >= 0
    vectors = output[np.where(inside, contexts, 0)]
    sums: Floats = np.einsum("bjd,bj->bd", vectors, inside.astype(output.dtype))
    return np.asarray(sums / np.maximum(1, inside.sum(axis=1, keepdims=True)).astype(output.dtype))


def sense_logits(words: Int64, context: Floats, parameters: Parameters) -> Floats:
    """``l = h Phi_w + beta_w`` for context vectors h (b, D): (b, K)."""
    if len(parameters.selectors) == 1:
        return np.asarray(context @ parameters.selectors[0] + parameters.offsets[0])
    own = np.einsum("bd,bdk->bk", context, parameters.selectors[words])
    return np.asarray(own + parameters.offsets[words])


def softmax(logits: Floats) -> Floats:
    """Along the last axis."""
    raised = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return np.asarray(raised / raised.sum(axis=-1, keepdims=True))


def gumbel(random: np.random.Generator, shape: tuple[int, ...]) -> Floats:
    """Gumbel(0, 1): the argmax of logits plus these is distributed as their softmax."""
    return random.gumbel(size=shape).astype(np.float32)


def gradients(
    words: Int64,
    contexts: Int64,
    parameters: Parameters,
    *,
    temperature: float = 1.0,
    noise: Floats | None = None,
    entropy: float = 0.0,
) -> Gradients:
    """How well senses that are chosen by a context predict it.

    With ``pi = softmax((l + noise) / temperature)`` and ``v = sum_k pi_k S_wk``, the loss is the mean over all pairs of
    an occurrence and a word c of its context of ``-log softmax(O v + bias)_c``, less ``entropy`` times the entropy of
    pi. No gradient goes into the vectors that describe the context.

    Args:
        words: (b,) int64.
        contexts: (b, 2 window) int64, -1 where there is no word; at least one word in all.
        parameters: as they stand.
        temperature: of the choice, above 0.
        noise: (b, K), added to the logits.
        entropy: how much undecided choices are rewarded.
    """
    output = parameters.output
    context = context_vectors(contexts, output)
    logits = sense_logits(words, context, parameters)
    choice = softmax((logits if noise is None else logits + noise) / temperature)
    own = parameters.senses[words]
    centre = np.einsum("bk,bkd->bd", choice, own)

    row, column = np.nonzero(contexts >= 0)
    target = contexts[row, column]
    pairs = (contexts >= 0).sum(axis=1).astype(output.dtype) / row.size
    guess = centre @ output.T
    guess += parameters.bias
    guess -= guess.max(axis=1, keepdims=True)
    right = guess[row, target]
    np.exp(guess, out=guess)
    total = guess.sum(axis=1)
    loss = float(np.dot(pairs, np.log(total)) - right.mean())
    guess *= (pairs / total)[:, None]
    np.subtract.at(guess.reshape(-1), row * len(output) + target, output.dtype.type(1 / row.size))

    back = guess @ output
    rise = np.einsum("bd,bkd->bk", back, own)
    if entropy:
        logs = np.log(np.maximum(choice, np.finfo(choice.dtype).tiny))
        loss += entropy * float(np.dot(pairs, (choice * logs).sum(axis=1)))
        rise += entropy * pairs[:, None] * (logs + 1)
    turn = choice * (rise - (choice * rise).sum(axis=1, keepdims=True)) / temperature

    order = np.argsort(words, kind="stable")
    found, first = np.unique(words[order], return_index=True)
    if len(parameters.selectors) == 1:
        selectors, offsets = (context.T @ turn)[None], turn.sum(axis=0)[None]
    else:
        selectors = np.add.reduceat((context[:, :, None] * turn[:, None, :])[order], first, axis=0)
        offsets = np.add.reduceat(turn[order], first, axis=0)
    return Gradients(
        loss,
        found,
        np.add.reduceat((choice[:, :, None] * back[:, None, :])[order], first, axis=0),
        selectors,
        offsets,
        guess.T @ centre,
        guess.sum(axis=0),
    )
