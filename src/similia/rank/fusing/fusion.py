"""A retriever and a cross-attention block over frozen token vectors, trained together."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from similia.encode.adam import Adam
from similia.encode.base import unit
from similia.errors import FingerprintMismatch, InputError
from similia.progress import bar
from similia.rank.feedback.losses import info_nce
from similia.rank.fusing.block import NAMES, Batch, Floats, Parameters, backward, forward, new_parameters, pointer_loss
from similia.rank.fusing.pairs import Pairs, means, targets_of
from similia.rank.stored import save_arrays
from similia.types import Float32, Int64, MultiVector, as_vectors

FORMAT = 1
"""Version of the stored form."""
HEADS = ("query_head", "item_head")
ALIKE = 16
"""Batches that are cut from queries sorted by length."""
CALM = 0.1
"""Steps of the heads as a share of those of the block: they start as what the encoder was trained to give."""


@dataclass(frozen=True, eq=False)
class Fused:
    """A query that has read an item.

    Attributes:
        fused: float32 (p, d), the query's tokens with what each read.
        attention: float32 (heads, p, t), what each looked at; each row sums to 1.
        chances: float32 (t,), how likely each token of the item belongs to the answer, by the pointer; sums to 1.
    """

    fused: Float32
    attention: Float32
    chances: Float32

    @property
    def weights(self) -> Float32:
        """float32 (t,), attention averaged over heads and tokens of the query."""
        return np.asarray(self.attention.mean(axis=(0, 1)), np.float32)


class CrossFusion:
    """Vectors for retrieval, and a block of cross-attention from a query's tokens to an item's, learnt together.

    The encoder stays as it is. A linear head a side makes a vector of length 1 out of the mean of a text's tokens:
    retrieval costs what it costs with the plain encoder. The block attends from the tokens of the query, after its
    head, to those of the item; a pointer must tell from what it read which tokens answer. The loss is symmetric InfoNCE
    within the batch plus ``alpha`` times the pointer's cross entropy.

    Args:
        heads: of the attention.
        width: of each head.
        alpha: how much the pointer counts. With 0 the block is not trained.
        alike: whether the block projects query and item alike at first, so that it starts near the cosine of tokens.
        epochs: how often each pair is seen at most; the epoch that is best on pairs held out is kept.
        rate: the size of a step of Adam for the block; a tenth of it for the heads.
        batch: pairs a step.
        temperature: of InfoNCE.
        holdout: the share of the groups that is held out; 0 for the last epoch.
        encoder: fingerprint of the encoder that made the tokens; `check` compares it.
        seed: same seed, same model.

    Attributes:
        parameters_: of the heads and the block; empty before `fit`.
        epoch_: the epoch that was kept, from 1; 0 where none was better than the start.

    Raises:
        InputError: a setting out of range.

    Source:
        Liu et al.: GeAR: Generation Augmented Retrieval (ACL Findings 2025). There all layers are trained, every one
        has a block, and a decoder writes the answer out; here a pointer to the tokens of the item takes its place.

    Examples:
        >>> from similia.types import ragged
        >>> random = np.random.default_rng(0)
        >>> items = ragged(random.normal(size=(20, 6, 8)), 8)
        >>> queries = ragged([item[2:4] for item in items], 8)
        >>> model = CrossFusion(heads=2, width=4, epochs=2).fit(queries, items, np.arange(20), [(2, 4)] * 20)
        >>> model.item_vectors(items).shape
        (20, 8)
        >>> model(queries.vectors[:2], items.vectors[:6]).attention.shape
        (2, 2, 6)
    """

    def __init__(
        self,
        *,
        heads: int = 4,
        width: int = 32,
        alpha: float = 0.25,
        alike: bool = True,
        epochs: int = 6,
        rate: float = 3e-3,
        batch: int = 32,
        temperature: float = 0.05,
        holdout: float = 0.1,
        encoder: str = "",
        seed: int = 0,
    ) -> None:
        if min(heads, width, epochs, batch) < 1:
            raise InputError(f"heads {heads}, width {width}, epochs {epochs}, batch {batch}: each must be at least 1")
        if not (rate > 0 and temperature > 0 and np.isfinite(alpha) and alpha >= 0 and 0 <= holdout < 1):
            raise InputError(
                f"rate {rate} and temperature {temperature} must be above 0, alpha {alpha} at least 0, "
                f"holdout {holdout} in [0, 1)"
            )
        self.heads, self.width, self.alpha, self.alike = heads, width, float(alpha), bool(alike)
        self.epochs, self.rate, self.batch, self.temperature = epochs, rate, batch, temperature
        self.holdout, self.encoder, self.seed = holdout, encoder, seed
        self.parameters_: Parameters = {}
        self.epoch_ = 0

    def fit(
        self,
        queries: MultiVector,
        items: MultiVector,
        answers: npt.ArrayLike,
        targets: npt.ArrayLike,
        *,
        groups: npt.ArrayLike | None = None,
        progress: bool | None = None,
    ) -> CrossFusion:
        """Learn from queries, the item that answers each, and where in it.

        Args:
            queries: the tokens of q queries.
            items: the tokens of n items.
            answers: int (q,), the item of each query.
            targets: int (q, 2), the first token of the answer in that item and the one after its last.
            groups: (n,) the topic of each item. Items of one topic are not held against each other, and topics are
                held out whole. None where each item is its own.
            progress: as in `similia.progress.bar`.

        Returns:
            The model itself.

        Raises:
            InputError: shapes that do not fit, a text without tokens, or an answer that is not there.
        """
        dimension = items.vectors.shape[1]
        if queries.vectors.shape[1] != dimension:
            raise InputError(f"queries have {queries.vectors.shape[1]} dimensions and items {dimension}")
        asked, known = means(queries, "query"), means(items, "item")
        own = np.asarray(answers)
        if own.shape != (len(asked),) or (own.size and own.dtype.kind not in "iu"):
            raise InputError(f"answers {own.dtype} {own.shape}; expected whole numbers ({len(asked)},), one a query")
        if own.size and not (own.min() >= 0 and own.max() < len(known)):
            raise InputError(f"answers name item {own.min()} or {own.max()}; there are {len(known)}")
        spans = targets_of(targets, np.diff(items.offsets)[own.astype(np.int64)])
        topics = np.arange(len(known)) if groups is None else np.asarray(groups)
        if topics.shape != (len(known),):
            raise InputError(f"groups has shape {topics.shape}; expected ({len(known)},), one an item")
        pairs = Pairs(
            queries, items, asked, known, own.astype(np.int64), spans, np.unique(topics, return_inverse=True)[1]
        )
        self._learn(pairs, progress)
        return self

    def _learn(self, pairs: Pairs, progress: bool | None) -> None:
        random = np.random.default_rng(self.seed)
        learn, held = pairs.parted(self.holdout, random)
        dimension = pairs.known.shape[1]
        parameters = new_parameters(dimension, self.heads, self.width, random, alike=self.alike)
        trained = NAMES if self.alpha else HEADS
        rates = {name: self.rate * (CALM if name in HEADS else 1) for name in trained}
        steps = {name: Adam(parameters[name], rates[name]) for name in trained}
        least = self._held_out(parameters, pairs, held)
        best, self.epoch_ = {name: values.copy() for name, values in parameters.items()}, 0
        with bar("learning", self.epochs, unit="epochs", show=progress) as shown:
            for epoch in range(1, self.epochs + 1):
                for rows in _batches(random.permutation(learn), pairs.queries, self.batch):
                    _, slopes = self._loss(parameters, pairs, rows, slopes=True)
                    for name, adam in steps.items():
                        adam.step(slopes[name])
                loss = self._held_out(parameters, pairs, held)
                if loss < least or not held.size:
                    least, self.epoch_ = loss, epoch
                    best = {name: values.copy() for name, values in parameters.items()}
                shown.advance()
        self.parameters_ = best

    def __call__(self, query: npt.ArrayLike, item: npt.ArrayLike) -> Fused:
        """Let a query read an item.

        Args:
            query: (p, d), the vectors of its tokens.
            item: (t, d).

        Raises:
            InputError: not fitted, a text without tokens, another dimension, or NaN.
        """
        parameters = self._fitted()
        dimension = len(parameters["item_head"])
        if not np.size(query) or not np.size(item):
            raise InputError(f"the {'item' if np.size(query) else 'query'} has no tokens, so there is nothing to read")
        asked = as_vectors(query, name="query", dimension=dimension)[None]
        known = as_vectors(item, name="item", dimension=dimension)[None]
        every = [np.ones(tokens.shape[:2], np.bool_) for tokens in (asked, known)]
        trace = forward(parameters, Batch(asked, every[0], known, every[1], every[1]))
        passed = trace.attention[0] @ known[0] @ parameters["item_head"]
        read = passed @ parameters["reads"].transpose(1, 0, 2) @ parameters["writes"]
        return Fused(trace.headed[0] + read.sum(axis=0), trace.attention[0], trace.chances[0])

    def query_vectors(self, tokens: MultiVector) -> Float32:
        """Vectors to search with: float32 (q, d), of length 1.

        Raises:
            InputError: not fitted, a query without tokens, or another dimension.
        """
        return self._vectors(tokens, "query")

    def item_vectors(self, tokens: MultiVector) -> Float32:
        """Vectors to put into an index: float32 (n, d), of length 1.

        Raises:
            InputError: not fitted, an item without tokens, or another dimension.
        """
        return self._vectors(tokens, "item")

    def check(self, fingerprint: str) -> None:
        """Refuse tokens of another encoder than that which it was trained on; one that names none takes all.

        Raises:
            FingerprintMismatch: the two differ.
        """
        if self.encoder and fingerprint != self.encoder:
            raise FingerprintMismatch(
                f"the fusion was trained on tokens of encoder {self.encoder[:12]} and these are of {fingerprint[:12]}; "
                "train it again"
            )

    def save(self, path: str | Path) -> None:
        """Write it to an ``.npz`` file, whole or not at all.

        Raises:
            InputError: it is not fitted.
        """
        about = {"format": FORMAT, "epoch": self.epoch_, **self._settings()}
        save_arrays(path, about, self._fitted())

    @classmethod
    def load(cls, path: str | Path) -> CrossFusion:
        """Read what `save` wrote; nothing in the file is executed.

        Raises:
            InputError: the file is not there, no such model, of another version, or its arrays do not fit.
        """
        try:
            with np.load(Path(path), allow_pickle=False) as stored:
                about = json.loads(str(stored["about"]))
                parameters = {name: np.ascontiguousarray(stored[name], dtype=np.float32) for name in NAMES}
            version, epoch = about.pop("format"), int(about.pop("epoch"))
            model = cls(**about)
        except (OSError, ValueError, KeyError, TypeError, EOFError, AttributeError, zipfile.BadZipFile) as error:
            raise InputError(f"{path} cannot be read as a cross fusion ({error})") from None
        if version != FORMAT:
            raise InputError(f"{path}: written in format {version}; this version reads format {FORMAT}")
        wanted = _shapes(parameters["item_head"].shape[-1], model.heads, model.width)
        for name, values in parameters.items():
            if values.shape != wanted[name] or not np.isfinite(values).all():
                raise InputError(f"{path}: {name} must be finite numbers of shape {wanted[name]}")
        model.parameters_, model.epoch_ = parameters, epoch
        return model

    def _settings(self) -> dict[str, Any]:
        names = ["heads", "width", "alpha", "alike", "epochs", "rate", "batch", "temperature", "holdout", "encoder"]
        return {name: getattr(self, name) for name in [*names, "seed"]}

    def _fitted(self) -> Parameters:
        if not self.parameters_:
            raise InputError("the fusion is not fitted; call fit with queries, items and answers first")
        return self.parameters_

    def _vectors(self, tokens: MultiVector, side: str) -> Float32:
        head = self._fitted()[f"{side}_head"]
        if tokens.vectors.shape[1] != len(head):
            raise InputError(f"tokens have {tokens.vectors.shape[1]} dimensions, but {len(head)} are needed here")
        return unit((means(tokens, side) @ head).astype(np.float32))

    def _loss(
        self, parameters: Parameters, pairs: Pairs, rows: Int64, *, slopes: bool = False
    ) -> tuple[float, Parameters]:
        """The loss of one batch, and its gradient by each parameter where asked for."""
        asked, known = pairs.asked[rows], pairs.known[pairs.own[rows]]
        queries, items = asked @ parameters["query_head"], known @ parameters["item_head"]
        lengths = [np.maximum(np.linalg.norm(side, axis=1, keepdims=True), 1e-12) for side in (queries, items)]
        queries, items = queries / lengths[0], items / lengths[1]
        topic = pairs.topics[pairs.own[rows]]
        # Another item of the topic may answer as well; the same item surely does.
        part = (topic[:, None] != topic) | np.eye(rows.size, dtype=np.bool_)
        same, scores = np.arange(rows.size), queries @ items.T
        there, down = info_nce(scores, same, temperature=self.temperature, mask=part)
        back, across = info_nce(scores.T, same, temperature=self.temperature, mask=part)
        loss = (there + back) / 2
        found: Parameters = {}
        if slopes:
            by_scores = ((down + across.T) / 2).astype(np.float32)
            found["query_head"] = asked.T @ _through_length(by_scores @ items, queries, lengths[0])
            found["item_head"] = known.T @ _through_length(by_scores.T @ queries, items, lengths[1])
        if self.alpha:
            batch = pairs.batch(rows)
            trace = forward(parameters, batch)
            loss += self.alpha * pointer_loss(trace, batch)
            if slopes:
                for name, slope in backward(parameters, trace, batch).items():
                    slope = np.float32(self.alpha) * slope
                    found[name] = found[name] + slope if name in found else slope
        return loss, found

    def _held_out(self, parameters: Parameters, pairs: Pairs, held: Int64) -> float:
        """The mean loss over pairs that were held out; infinite where none were."""
        losses = [
            rows.size * self._loss(parameters, pairs, rows)[0] for rows in _batches(held, pairs.queries, self.batch)
        ]
        return sum(losses) / held.size if held.size else float("inf")


def _through_length(slope: Floats, units: Floats, lengths: Floats) -> Floats:
    """The gradient by vectors, from that by the same of length 1: what points along the vector is lost."""
    slopes: Floats = (slope - units * (units * slope).sum(axis=1, keepdims=True)) / lengths
    return slopes


def _shapes(dimension: int, heads: int, width: int) -> dict[str, tuple[int, ...]]:
    parameters = new_parameters(dimension, heads, width, np.random.default_rng(0))
    return {name: values.shape for name, values in parameters.items()}


def _batches(rows: Int64, queries: MultiVector, size: int) -> Iterator[Int64]:
    """Batches of queries that are about as long as each other: less is filled up, and computed for nothing."""
    lengths = np.diff(queries.offsets)
    for some in _cut(rows, ALIKE * size):
        yield from _cut(some[np.argsort(lengths[some], kind="stable")], size)


def _cut(rows: Int64, size: int) -> Iterator[Int64]:
    for start in range(0, rows.size, size):
        yield rows[start : start + size]
