"""Query vectors made better before they are searched with: said in many contexts, or joined with what they find."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from similia.errors import InputError
from similia.index.topk import top_k
from similia.measure.vectors import normalise
from similia.types import Float32, as_vectors


def contextualise(encode: Callable[[list[str]], npt.ArrayLike], texts: Sequence[str], words: Sequence[str]) -> Float32:
    """A short text as the mean of what an encoder makes of it beside each of many words: "word text" and "text word".

    An encoder has rarely met a phrase of one or two words alone; among subjects it takes the place that it has there.

    Args:
        encode: strings -> vectors (m, d).
        texts: t of them, such as "black and white".
        words: subjects of all kinds; where there are none, each text stands alone.

    Returns:
        float32 (t, d), of length 1.

    Source:
        Psomas and others, Instance-Level Composed Image Retrieval (NeurIPS 2025), with 100 words.

    Examples:
        >>> contextualise(lambda texts: [[len(text), 1] for text in texts], ["at night"], ["cat"]).shape
        (1, 2)
    """
    if isinstance(texts, str) or isinstance(words, str):
        raise InputError("texts and words are lists of strings, not one string")
    said: list[str] = []
    for text in texts:
        said += [form for word in words for form in (f"{word} {text}", f"{text} {word}")] or [text]
    if not said:
        return np.empty((0, 0), np.float32)
    unit = normalise(encode(said))
    if len(unit) != len(said):
        raise InputError(f"encode gave {len(unit)} vectors for {len(said)} texts; it must give one each")
    return normalise(unit.reshape(len(texts), -1, unit.shape[1]).mean(axis=1))


def expand(
    queries: npt.ArrayLike,
    items: npt.ArrayLike,
    scores: npt.ArrayLike,
    *,
    k: int = 25,
    sharpness: float = 0.1,
) -> Float32:
    """Each query joined with the items that it finds: the mean of both, the better ones counting more.

    An item with score s counts ``exp(sharpness s)``, the query itself as much as one with score 1. Where hard negatives
    are near, the query drifts to them: leave it out there.

    Args:
        queries: (q, d).
        items: (n, d).
        scores: (q, n), higher is better.
        k: how many items, at most; all where there are fewer.
        sharpness: how much more the better ones count.

    Returns:
        float32 (q, d), of no particular length.

    Raises:
        InputError: shapes that do not fit, a k below 1, or scores that are not finite.

    Source:
        Psomas and others, Instance-Level Composed Image Retrieval (NeurIPS 2025); Chum and others, Total Recall
        (ICCV 2007).

    Examples:
        >>> expand([[1, 0]], [[0, 1], [0, -9]], [[1, 0]], k=1).tolist()
        [[0.5, 0.5]]
    """
    asked = as_vectors(queries, name="queries")
    known = as_vectors(items, name="items", dimension=asked.shape[1])
    given = np.asarray(scores, np.float64)
    if given.shape != (len(asked), len(known)) or not np.isfinite(given).all():
        raise InputError(f"scores {given.shape} must be finite numbers, ({len(asked)}, {len(known)})")
    if not np.isfinite(sharpness):
        raise InputError(f"sharpness is {sharpness!r}; it must be a finite number")
    places, _ = top_k(given, k)
    places = places[:, : min(k, len(known))]
    own = np.ones((len(asked), 1))
    values = sharpness * np.concatenate([np.take_along_axis(given, places, axis=1), own], axis=1)
    weights = np.exp(values - values.max(axis=1, keepdims=True))
    weights /= weights.sum(axis=1, keepdims=True)
    joined = np.concatenate([known[places], asked[:, None]], axis=1).astype(np.float64)
    return np.asarray(np.einsum("qk,qkd->qd", weights, joined), np.float32)
