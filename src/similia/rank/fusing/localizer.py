"""Scores of spans of an item, out of the attention that its tokens get."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, TypeAlias, get_args

import numpy as np
import numpy.typing as npt

from similia.errors import InputError
from similia.rank.fusing.tokens import as_spans
from similia.types import Float32

Pooling: TypeAlias = Literal["mean", "sum"]


class Localizer:
    """The attention of a span: that of its tokens, summed or averaged.

    Attention is averaged over heads and tokens of the query first. A sum favours long spans and a mean short ones;
    `fit` takes what is better on examples.

    Args:
        pooling: "mean" or "sum" over the tokens of a span.

    Attributes:
        right_: the share of the examples whose best span was right, by pooling; empty before `fit`.

    Raises:
        InputError: another pooling.

    Source:
        Liu et al.: GeAR: Generation Augmented Retrieval (ACL Findings 2025).

    Examples:
        >>> attention = [0.3, 0.1, 0.1, 0.3, 0.2]
        >>> Localizer("mean")(attention, [(0, 1), (1, 5)]).round(3).tolist()
        [0.30000001192092896, 0.17499999701976776]
        >>> Localizer("sum")(attention, [(0, 1), (1, 5)]).round(3).tolist()
        [0.30000001192092896, 0.699999988079071]
    """

    def __init__(self, pooling: Pooling = "mean") -> None:
        if pooling not in get_args(Pooling):
            raise InputError(f"pooling is {pooling!r}; there are {', '.join(get_args(Pooling))}")
        self.pooling: Pooling = pooling
        self.right_: dict[str, float] = {}

    def __call__(self, attention: npt.ArrayLike, spans: npt.ArrayLike) -> Float32:
        """One score a span; 0 for a span without tokens.

        Args:
            attention: (heads, p, t) of p tokens of the query to t tokens of the item, or (t,) averaged already.
            spans: int (s, 2), the first token of each span and the one after its last.

        Returns:
            float32 (s,), at least 0.

        Raises:
            InputError: shapes that do not fit, attention that is negative or not finite, or a span beyond the tokens.
        """
        weights = _weights(attention)
        asked = _checked(spans, weights.size)
        return _pooled(weights, asked, self.pooling).astype(np.float32)

    def fit(
        self, attentions: Sequence[npt.ArrayLike], spans: Sequence[npt.ArrayLike], right: Sequence[npt.ArrayLike]
    ) -> Localizer:
        """Choose the pooling whose best span is right more often; the mean where both are as good.

        Args:
            attentions: of each example.
            spans: (s, 2) of each example; examples without spans do not count.
            right: bool (s,) of each example, which of its spans are right.

        Returns:
            The localiser itself.

        Raises:
            InputError: lengths that differ, no example, or what a call refuses.
        """
        if not len(attentions) == len(spans) == len(right):
            raise InputError(
                f"{len(attentions)} attentions, {len(spans)} spans and {len(right)} answers; expected one each"
            )
        hits: dict[Pooling, list[bool]] = {"mean": [], "sum": []}
        for attention, given, answer in zip(attentions, spans, right, strict=True):
            weights, good = _weights(attention), np.asarray(answer)
            asked = _checked(given, weights.size)
            if good.shape != (len(asked),) or good.dtype != np.bool_:
                raise InputError(f"right has {good.dtype} {good.shape}; expected bool ({len(asked)},), one a span")
            if len(asked):
                for pooling, found in hits.items():
                    found.append(bool(good[np.argmax(_pooled(weights, asked, pooling))]))
        if not hits["mean"]:
            raise InputError("there is no example with spans to choose the pooling on")
        self.right_ = {pooling: float(np.mean(found)) for pooling, found in hits.items()}
        self.pooling = "sum" if self.right_["sum"] > self.right_["mean"] else "mean"
        return self


def _weights(attention: npt.ArrayLike) -> npt.NDArray[np.float64]:
    given = np.asarray(attention, dtype=np.float64)
    if given.ndim not in (1, 3):
        raise InputError(f"attention has shape {given.shape}; expected (heads, query tokens, item tokens) or (tokens,)")
    if not np.isfinite(given).all() or (given < 0).any():
        raise InputError("attention must be finite numbers of at least 0")
    if given.ndim == 1:
        return given
    rows = given.shape[0] * given.shape[1]
    weights: npt.NDArray[np.float64] = given.sum(axis=(0, 1)) / max(1, rows)
    return weights


def _checked(spans: npt.ArrayLike, tokens: int) -> npt.NDArray[np.int64]:
    asked = as_spans(spans, "spans")
    wrong = (asked[:, 0] < 0) | (asked[:, 0] > asked[:, 1]) | (asked[:, 1] > tokens)
    if wrong.any():
        place = int(np.argmax(wrong))
        raise InputError(f"span {place} is {tuple(asked[place].tolist())}; it must lie within the {tokens} tokens")
    return asked


def _pooled(
    weights: npt.NDArray[np.float64], spans: npt.NDArray[np.int64], pooling: Pooling
) -> npt.NDArray[np.float64]:
    total = np.concatenate(([0.0], np.cumsum(weights)))
    # A difference of sums may fall below 0 by rounding.
    sums: npt.NDArray[np.float64] = np.maximum(total[spans[:, 1]] - total[spans[:, 0]], 0)
    return sums if pooling == "sum" else sums / np.maximum(spans[:, 1] - spans[:, 0], 1)
