"""What a pair model is, and how its logits become a probability."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol, runtime_checkable

import numpy as np

from similia.encode.base import as_texts
from similia.errors import InputError, ModelError
from similia.types import Float32

LAST = -1
"""Stands for the last label of a model that has one or two."""
POSITIVE = ("entailment", "entailed", "relevant", "positive", "duplicate", "equivalent", "paraphrase", "match", "yes")
"""Names that makers of models give the label which says that the two texts fit."""


@runtime_checkable
class PairEncoder(Protocol):
    """Scores pairs of texts, reading both at once; the order of the two matters."""

    @property
    def name(self) -> str:
        """What to call the model."""
        ...

    @property
    def fingerprint(self) -> str:
        """SHA-256 (64 hexadecimal digits) over everything that decides the scores."""
        ...

    def logits(self, left: Sequence[str], right: Sequence[str]) -> Float32:
        """What the model says of each pair before any activation, float32 (n, labels)."""
        ...

    def score(self, left: Sequence[str], right: Sequence[str]) -> Float32:
        """How well each pair fits, float32 (n,) in 0 to 1."""
        ...


def as_pairs(left: Sequence[str], right: Sequence[str]) -> tuple[list[str], list[str]]:
    """Both sides as lists of equal length.

    Raises:
        InputError: sides of different lengths, or an item that is not a string.

    Examples:
        >>> as_pairs(["a"], ["b", "c"])
        Traceback (most recent call last):
        similia.errors.InputError: 1 texts on the left and 2 on the right; expected as many
    """
    first, second = as_texts(left), as_texts(right)
    if len(first) != len(second):
        raise InputError(f"{len(first)} texts on the left and {len(second)} on the right; expected as many")
    return first, second


def check_template(template: str | None) -> None:
    """Refuse a template that does not hold ``{left}`` and ``{right}`` once each."""
    if template is not None and (template.count("{left}"), template.count("{right}")) != (1, 1):
        raise InputError(f"template {template!r} must hold {{left}} and {{right}} once each")


def fill(template: str, left: str, right: str) -> str:
    r"""The template with both texts in it; braces in the texts mean nothing.

    Examples:
        >>> fill("Query: {left}\nSentence: {right}", "f{right}", "g")
        'Query: f{right}\nSentence: g'
    """
    head, _, rest = template.partition("{left}")
    if "{right}" in head:
        head, middle = head.split("{right}")
        return f"{head}{right}{middle}{left}{rest}"
    middle, tail = rest.split("{right}")
    return f"{head}{left}{middle}{right}{tail}"


def probability(logits: Float32, positive: int) -> Float32:
    """The probability that a pair fits.

    The sigmoid of a single logit; of several, the softmax of the positive one.

    Args:
        logits: (n, labels).
        positive: which label says that the pair fits; -1 for the last of at most two.

    Returns:
        float32 (n,) in 0 to 1.

    Raises:
        ModelError: there is no such label, or the last is asked of more than two.

    Examples:
        >>> probability(np.array([[0.0], [2.0]], np.float32), 0).round(3).tolist()
        [0.5, 0.8809999823570251]
        >>> probability(np.array([[1.0, 1.0]], np.float32), 1).tolist()
        [0.5]
    """
    labels = logits.shape[1]
    if positive >= labels or (positive == LAST and labels > 2):
        raise ModelError(f"the model has {labels} labels; say by positive=... which one says that a pair fits")
    values = logits.astype(np.float64)
    if labels == 1:
        # One logit against an implied 0, so that both cases are one softmax.
        values, positive = np.hstack([np.zeros_like(values), values]), 1
    values -= values.max(axis=1, keepdims=True)
    np.exp(values, out=values)
    return np.asarray(values[:, positive] / values.sum(axis=1), dtype=np.float32)


def positive_label(config: Mapping[str, Any], chosen: int | str | None, *, name: str) -> int:
    """Which of a model's labels says that a pair fits.

    Args:
        config: the model's ``config.json``; ``id2label`` names its labels.
        chosen: a position or a name; None looks for a name that says so, and takes the last of at most two.
        name: of the model, for errors.

    Returns:
        The position; -1, the last one, where the file does not say how many there are.

    Raises:
        ModelError: no such label, or none that can be told to be it.

    Examples:
        >>> positive_label({"id2label": {"0": "contradiction", "1": "entailment", "2": "neutral"}}, None, name="nli")
        1
        >>> positive_label({}, None, name="reranker")
        -1
    """
    named = {str(label).lower(): int(place) for place, label in (config.get("id2label") or {}).items()}
    count = len(named) or config.get("num_labels")
    if isinstance(chosen, str):
        if chosen.lower() not in named:
            raise ModelError(f"{name} has no label {chosen!r}; it has {', '.join(named) or 'none with a name'}")
        return named[chosen.lower()]
    if chosen is None:
        if count is None:
            return LAST
        chosen = next((named[label] for label in POSITIVE if label in named), count - 1 if count <= 2 else count)
    if not 0 <= chosen < (count or chosen + 1):
        raise ModelError(f"{name} has {count} labels; say by positive=... which one says that a pair fits")
    return chosen
