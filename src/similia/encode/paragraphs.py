"""Binary paragraph vectors: short codes of documents, learnt from their words alone.

Grzegorczyk and Kurdziel, *Binary Paragraph Vectors* (RepL4NLP 2017, arXiv 1611.01116), after the distributed bag of
words of Le and Mikolov (ICML 2014): what is known of a document must predict its words. There the softmax is sampled;
here it is whole, over all words of a document at once, and the steps are Adam's. The form with neighbouring words
(binary PV-DM) is left out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from similia.encode.adam import Adam, Floats
from similia.encode.base import as_texts
from similia.encode.terms import TermCounts, Terms
from similia.errors import InputError
from similia.progress import bar
from similia.types import Bool, Codes, Float32

Layer = Literal["straight-through", "noise", "sigmoid", "linear"]
BATCH = 256
START = 0.001
"""Deviation of the values that rows and weights start from; chance that starts large stays in the bits."""
RATES: Mapping[Layer, tuple[float, float]] = {
    "straight-through": (0.03, 0.0005),
    "noise": (0.03, 0.0005),
    "sigmoid": (0.1, 0.002),
    "linear": (0.005, 0.002),
}
"""Adam's steps for a document's row, which is seen once an epoch, and for what all documents share.

Chosen by MAP over 3,500 abstracts by area; larger ones fit the words better and find worse.
"""
REAL_RATES = (0.005, 0.01)
"""The same in the real-binary form: larger for the decoder, and buckets are too small; smaller, and too large."""
NOISE = 2.0
"""Deviation of the noise before the sigmoid; semantic hashing (Salakhutdinov and Hinton 2009) has 4."""


@dataclass(frozen=True, eq=False)
class DocumentCodes:
    """What is known of n documents.

    Attributes:
        codes: uint8 (n, ceil(bits / 8)), for `similia.index.HammingIndex`; bits beyond the last are 0.
        vectors: float32 (n, d), the real rows behind them; 0 where not valid.
        valid: bool (n,), False for a document without a known word. Its code is 0 and means nothing: pass ``valid``
            to the search as ``where``, and do not ask with such a code.
    """

    codes: Codes
    vectors: Float32
    valid: Bool

    def __len__(self) -> int:
        return len(self.codes)


class BinaryParagraphVector:
    """Documents to binary codes that predict their words.

    Document i has a row ``r`` of real values, bits ``b = [sigmoid(r) > 1/2]``, and predicts term w by the softmax of
    ``W b + c``. Gradients pass the rounding as if ``b`` were ``sigmoid(r)``. In the real-binary form, rows are
    longer, and bits are those of ``U r + u``: a short code to find candidates, a long vector to rank them.

    Args:
        bits: the length of a code, at least 1.
        real: the length of a row in the real-binary form; the bits are the row's own where None.
        layer: ``straight-through``; ``noise`` adds Gaussian noise before the sigmoid instead of rounding; ``sigmoid``
            and ``linear`` (plain PV-DBOW) round only after training, at sigmoid 1/2 and at 0.
        terms: the most words and pairs of words that are predicted.
        least: in how many documents one must stand.
        most: the share of the documents in which one may stand at most.
        epochs: passes over the documents, and steps for one that was not trained on.
        rates: Adam's steps for rows and for what all documents share; by `RATES` and
            `REAL_RATES` where None.
        seed: all randomness comes from it.
        progress: as in `similia.progress.bar`.

    Attributes:
        documents_: codes and rows of the documents that were learnt from.
        terms_: the terms that are predicted.
        weights_: float32 (terms, bits), W.
        bias_: float32 (terms,), c.
        bridge_: float32 (bits, real + 1), U with u as its last column; None without ``real``.
        losses_: the loss of each epoch, in nats a term.

    Examples:
        >>> texts = ["cats purr and cats sleep", "a cat may purr or sleep", "courts weigh tax law", "tax law of courts"]
        >>> model = BinaryParagraphVector(8, least=2, most=0.9, epochs=30).fit(texts)
        >>> found = model.encode(["tax law", "zebra"])
        >>> found.valid.tolist(), found.codes.codes.shape
        ([True, False], (2, 1))
    """

    def __init__(
        self,
        bits: int = 128,
        *,
        real: int | None = None,
        layer: Layer = "straight-through",
        terms: int = 3_000,
        least: int = 5,
        most: float = 0.3,
        epochs: int = 15,
        rates: tuple[float, float] | None = None,
        seed: int = 0,
        progress: bool | None = None,
    ) -> None:
        self.bits = bits
        self.real = real
        self.layer = layer
        self.terms = terms
        self.least = least
        self.most = most
        self.epochs = epochs
        self.rates = rates
        self.seed = seed
        self.progress = progress

    def fit(self, texts: Sequence[str]) -> BinaryParagraphVector:
        """Learn terms, decoder and the documents' rows.

        Raises:
            InputError: texts that are not strings, none with a known word, or settings out of range.
        """
        self._check()
        given = as_texts(texts)
        self.terms_ = Terms(given, self.terms, least=self.least, most=self.most)
        counts = self.terms_.count(given)
        random = np.random.default_rng(self.seed)
        width = self.real or self.bits
        self._start: Float32 = random.normal(0, START, width).astype(np.float32)
        rows = random.normal(0, START, (len(given), width)).astype(np.float32)
        self.weights_: Float32 = random.normal(0, START, (len(self.terms_), self.bits)).astype(np.float32)
        self.bias_: Float32 = np.log(self.terms_.share)
        self.bridge_: Float32 | None = None
        if self.real:
            self.bridge_ = random.normal(0, width**-0.5, (self.bits, width + 1)).astype(np.float32)
        self.losses_ = self._learn(rows, counts, random, decoder=True)
        self.documents_ = self._described(rows, counts.filled)
        return self

    def encode(self, texts: Sequence[str]) -> DocumentCodes:
        """Codes of documents that were not learnt from: their rows are fitted, and nothing else is changed.

        All rows start from the same values, so that a text's code depends on the text alone, but for the last digits
        of sums that are taken in another order.

        Raises:
            InputError: texts that are not strings, or `fit` was not called.
        """
        if not hasattr(self, "weights_"):
            raise InputError("this model has learnt nothing yet; call fit(texts) first")
        counts = self.terms_.count(as_texts(texts))
        rows = np.tile(self._start, (len(counts), 1))
        self._learn(rows, counts, np.random.default_rng(self.seed), decoder=False)
        return self._described(rows, counts.filled)

    def _learn(self, rows: Float32, counts: TermCounts, random: np.random.Generator, *, decoder: bool) -> list[float]:
        """Change rows, and the decoder with them where asked; the loss of each epoch."""
        known = np.flatnonzero(counts.filled)
        row_rate, rate = self.rates or (REAL_RATES if self.real else RATES[self.layer])
        steps = Adam(rows, row_rate)
        shared = [Adam(each, rate) for each in (self.weights_, self.bias_, self.bridge_) if each is not None]
        losses = []
        with bar("learning codes" if decoder else "fitting codes", self.epochs, unit="epochs", show=self.progress) as p:
            for _ in range(self.epochs):
                order = random.permutation(known) if decoder else known
                loss = 0.0
                for start in range(0, len(order), BATCH):
                    chosen = order[start : start + BATCH]
                    noise = random.normal(0, NOISE, (len(chosen), self.bits)) if self.layer == "noise" else None
                    found = gradients(
                        rows[chosen],
                        self.weights_,
                        self.bias_,
                        self.bridge_,
                        counts.rows(chosen),
                        layer=self.layer,
                        noise=noise if decoder else None,
                        decoder=decoder,
                    )
                    loss += found.loss
                    steps.step(found.rows, chosen)
                    for each, gradient in zip(shared, found.shared, strict=decoder):
                        each.step(gradient)
                losses.append(loss / max(1, len(known)))
                p.advance()
        return losses

    def _described(self, rows: Float32, valid: Bool) -> DocumentCodes:
        bits = (inputs(rows, self.bridge_) > 0) & valid[:, None]
        return DocumentCodes(Codes(np.packbits(bits, axis=1)), rows * valid[:, None], valid)

    def _check(self) -> None:
        if self.layer not in get_args(Layer):
            raise InputError(f"layer is {self.layer!r}; expected one of {', '.join(get_args(Layer))}")
        numbers: dict[str, object] = {"bits": self.bits, "terms": self.terms, "epochs": self.epochs}
        if self.real is not None:
            numbers["real"] = self.real
        for name, value in numbers.items():
            if isinstance(value, bool) or not isinstance(value, int) or value < 1:
                raise InputError(f"{name} is {value!r}; it must be a whole number, at least 1")
        if self.rates is not None and (len(list(self.rates)) != 2 or not all(rate > 0 for rate in self.rates)):
            raise InputError(f"rates are {self.rates!r}; expected two numbers above 0, for rows and for the rest")
        if not 0 < self.most <= 1:
            raise InputError(f"most is {self.most!r}; it is a share of the documents, above 0 and at most 1")


# -- the formulas


@dataclass(frozen=True)
class Gradients:
    """The loss, summed over documents, and its gradients: of the rows, and of W, c and, if there is one, the bridge."""

    loss: float
    rows: Floats
    shared: tuple[Floats, ...]


def inputs(rows: Floats, bridge: Floats | None) -> Floats:
    """What the bits are rounded from, (n, bits): the rows, or ``U r + u``."""
    return rows if bridge is None else rows @ bridge[:, :-1].T + bridge[:, -1]


def activate(values: Floats, layer: Layer, noise: Floats | None = None) -> tuple[Floats, Floats]:
    """The bits that go into the softmax, and the derivative that goes back through them, both as ``values``.

    Examples:
        >>> bits, slope = activate(np.array([-2.0, 0.5]), "straight-through")
        >>> bits.tolist(), slope.round(3).tolist()
        ([0.0, 1.0], [0.105, 0.235])
    """
    if layer == "linear":
        return values, np.ones_like(values)
    shifted = values if noise is None else values + noise.astype(values.dtype)
    soft = 1 / (1 + np.exp(-np.clip(shifted, -30, 30)))
    bits = (shifted > 0).astype(values.dtype) if layer == "straight-through" else soft
    return bits, soft * (1 - soft)


def gradients(
    rows: Floats,
    weights: Floats,
    bias: Floats,
    bridge: Floats | None,
    counts: TermCounts,
    *,
    layer: Layer,
    noise: Floats | None = None,
    decoder: bool = True,
) -> Gradients:
    """The loss ``-sum_i sum_w n_iw log softmax(W b_i + c)_w`` and how it changes.

    Args:
        rows: (n, d), one a document.
        weights: (terms, bits).
        bias: (terms,).
        bridge: (bits, d + 1), or None where d is the number of bits.
        counts: of n documents; each row sums to 1.
        layer: how bits come from values.
        noise: (n, bits), added before the sigmoid.
        decoder: whether the gradients of what is shared are wanted.
    """
    bits, slope = activate(inputs(rows, bridge), layer, noise)
    logits = bits @ weights.T
    logits += bias
    logits -= logits.max(axis=1, keepdims=True)
    seen = (counts.owner, counts.columns)
    own = logits[seen]
    chance = np.exp(logits, out=logits)
    total = chance.sum(axis=1)
    loss = float(np.dot(counts.values, np.log(total)[counts.owner] - own))
    chance /= total[:, None]
    chance[seen] -= counts.values
    back = (chance @ weights) * slope
    if bridge is None:
        return Gradients(loss, back, (chance.T @ bits, chance.sum(axis=0)) if decoder else ())
    shared: tuple[Floats, ...] = ()
    if decoder:
        ahead = np.concatenate([rows, np.ones((len(rows), 1), rows.dtype)], axis=1)
        shared = (chance.T @ bits, chance.sum(axis=0), back.T @ ahead)
    return Gradients(loss, back @ bridge[:, :-1], shared)
