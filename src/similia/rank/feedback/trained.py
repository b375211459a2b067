"""A small network that learns from a teacher's rankings how a query should move, given what it found first."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from similia.encode.adam import Adam
from similia.errors import FingerprintMismatch, InputError
from similia.measure.vectors import normalise
from similia.progress import bar
from similia.rank.feedback.attention import NAMES, Floats, Parameters, backward, forward, new_parameters
from similia.rank.feedback.expansion import as_feedback_scores, as_stacks
from similia.rank.feedback.losses import in_order, info_nce, rank_net
from similia.rank.stored import save_arrays
from similia.types import Float32, Int64, as_vectors

FORMAT = 1
"""Version of the stored form."""
SETTINGS = (
    *("feedback", "heads", "width", "itself", "ranking"),
    *("epochs", "rate", "batch", "holdout", "encoder", "seed"),
)
CONTRAST, RANKING = 0.03, 0.1
"""Temperatures of the two losses, as published."""


class FeedbackQuery:
    """``normalise(query + T(query; d1 .. dK))``: T is trained, the vectors of query and documents stay as they are.

    T is one layer of attention of the query to itself and the documents, with an embedding of each rank; its output is
    0 before training. The loss is InfoNCE towards the teacher's best document, against those of the whole batch, plus
    ``ranking`` times RankNet over the teacher's order. It is an `Expansion`: `feedback_search` takes it.

    Args:
        feedback: K, how many documents it sees at most; with fewer it takes those.
        heads: of the attention.
        width: of each head.
        itself: whether the query attends to itself besides the documents. It can then also learn how queries differ
            from what answers them, whatever they find, and that may be most of what there is to learn.
        ranking: how much RankNet counts beside InfoNCE; 0 for InfoNCE alone.
        epochs: how often each query is seen at most; the epoch that is best on queries held out is kept.
        rate: the size of a step of Adam.
        batch: queries a step.
        holdout: the share of the queries, or of their groups, that is held out; 0 for the last epoch.
        encoder: fingerprint of the encoder that made the vectors; `check` compares it.
        seed: same seed, same network.

    Attributes:
        parameters_: the network; empty before `fit`.
        epoch_: the epoch that was kept, from 1; 0 where none was better than the plain query.

    Raises:
        InputError: a setting out of range.

    Source:
        Liu et al.: E2Rank: Your Text Embedding can Also be an Effective and Efficient Listwise Reranker
        (arXiv 2510.22733, 2025). There a language model reads the texts of the documents; here a small network reads
        their vectors.

    Examples:
        >>> random = np.random.default_rng(0)
        >>> documents = random.normal(size=(40, 8))
        >>> queries = documents + random.normal(size=(40, 8))
        >>> near = np.argsort(-queries @ documents.T)[:, :4]
        >>> taught = np.array([sorted(range(4), key=lambda place: row[place] != own) for own, row in enumerate(near)])
        >>> model = FeedbackQuery(feedback=2, heads=1, width=4, epochs=2).fit(queries, documents, near, near, taught)
        >>> model(queries[:1], documents[near[:1, :2]], [[0.9, 0.8]]).shape
        (1, 8)
    """

    def __init__(
        self,
        *,
        feedback: int = 20,
        heads: int = 4,
        width: int = 64,
        itself: bool = True,
        ranking: float = 2.0,
        epochs: int = 20,
        rate: float = 5e-4,
        batch: int = 128,
        holdout: float = 0.1,
        encoder: str = "",
        seed: int = 0,
    ) -> None:
        if min(feedback, heads, width, epochs, batch) < 1:
            raise InputError(
                f"feedback {feedback}, heads {heads}, width {width}, epochs {epochs}, batch {batch}: "
                "each must be at least 1"
            )
        if not (rate > 0 and ranking >= 0 and 0 <= holdout < 1):
            raise InputError(f"rate {rate} must be above 0, ranking {ranking} at least 0, holdout {holdout} in [0, 1)")
        self.feedback, self.heads, self.width, self.itself = feedback, heads, width, bool(itself)
        self.ranking = float(ranking)
        self.epochs, self.rate, self.batch, self.holdout = epochs, rate, batch, holdout
        self.encoder, self.seed = encoder, seed
        self.parameters_: Parameters = {}
        self.epoch_ = 0

    def fit(
        self,
        queries: npt.ArrayLike,
        documents: npt.ArrayLike,
        feedback: npt.ArrayLike,
        candidates: npt.ArrayLike,
        permutations: npt.ArrayLike | None = None,
        *,
        groups: npt.ArrayLike | None = None,
        progress: bool | None = None,
    ) -> FeedbackQuery:
        """Learn from a teacher's order of each query's candidates.

        Args:
            queries: (q, d).
            documents: (n, d), each once.
            feedback: int (q, K), rows of ``documents`` that a first search found, best first; -1 at empty places.
            candidates: int (q, m), rows of ``documents`` that the teacher put in order; -1 at empty places.
            permutations: int (q, m); entry r says which candidate is at rank r, empty places last. None where the
                candidates come in the teacher's order.
            groups: (q,) the topic of each query; topics are held out whole.
            progress: as in `similia.progress.bar`.

        Returns:
            The model itself.

        Raises:
            InputError: shapes that do not fit, rows that are not there, or a permutation that is none.
        """
        asked = normalise(as_vectors(queries, name="queries"))
        known = normalise(as_vectors(documents, name="documents", dimension=asked.shape[1]))
        seen = _rows(feedback, len(asked), len(known), "feedback")[:, : self.feedback]
        ordered = _rows(candidates, len(asked), len(known), "candidates")
        if permutations is not None:
            ordered = in_order(ordered, permutations)
        if not ordered.size or (np.diff((ordered >= 0).astype(np.int8), axis=1) > 0).any() or (ordered[:, 0] < 0).any():
            raise InputError("each query needs a candidate, and empty places must come last in the teacher's order")
        random = np.random.default_rng(self.seed)
        learn, held = _parted(len(asked), groups, self.holdout, random)
        # A query without feedback stays as it is, so there is nothing to learn from it.
        learn, held = (rows[(seen[rows] >= 0).any(axis=1)] for rows in (learn, held))
        parameters = new_parameters(asked.shape[1], self.feedback, self.heads, self.width, random)
        steps = {name: Adam(values, self.rate) for name, values in parameters.items()}
        best = {name: values.copy() for name, values in parameters.items()}
        least = self._held_out(parameters, asked, known, seen, ordered, held)
        self.epoch_ = 0
        with bar("learning", self.epochs, unit="epochs", show=progress) as shown:
            for epoch in range(1, self.epochs + 1):
                for rows in _batches(random.permutation(learn), self.batch):
                    _, slopes = self._loss(parameters, asked[rows], known, seen[rows], ordered[rows])
                    for name, slope in slopes.items():
                        steps[name].step(slope)
                loss = self._held_out(parameters, asked, known, seen, ordered, held)
                if loss < least or not held.size:
                    least, self.epoch_ = loss, epoch
                    best = {name: values.copy() for name, values in parameters.items()}
                shown.advance()
        self.parameters_ = best
        return self

    def __call__(self, queries: npt.ArrayLike, feedback: npt.ArrayLike, scores: npt.ArrayLike | None = None) -> Float32:
        """New queries, float32 (q, d), of length 1; a query without feedback stays as it is.

        Args:
            queries: (q, d).
            feedback: (q, K, d), best first; beyond those that it was made for they are left out.
            scores: (q, K), -inf at empty places; otherwise they do not matter. None where no place is empty.

        Raises:
            InputError: not fitted, or arrays that do not fit.
        """
        if not self.parameters_:
            raise InputError("the feedback query is not fitted; call fit with a teacher's rankings first")
        asked = normalise(as_vectors(queries, name="queries", dimension=self.parameters_["ranks"].shape[1]))
        stacks = as_stacks(feedback, asked, name="feedback")
        there = np.ones(stacks.shape[:2], np.bool_) if scores is None else as_feedback_scores(scores) > -np.inf
        if there.shape != stacks.shape[:2]:
            raise InputError(f"scores have shape {there.shape}; expected {stacks.shape[:2]}, one a vector of feedback")
        stacks, there = stacks[:, : self.feedback], there[:, : self.feedback]
        some = there.any(axis=1)
        moved = asked.copy()
        for rows in _batches(np.flatnonzero(some), 1024):
            moved[rows] = forward(self.parameters_, asked[rows], stacks[rows], there[rows], self.itself).unit
        return moved

    def check(self, fingerprint: str) -> None:
        """Refuse vectors of another encoder than that which it was trained on; one that names none takes all.

        Raises:
            FingerprintMismatch: the two differ.
        """
        if self.encoder and fingerprint != self.encoder:
            raise FingerprintMismatch(
                f"the feedback query was trained on vectors of encoder {self.encoder[:12]} and these are of "
                f"{fingerprint[:12]}; train it again"
            )

    def save(self, path: str | Path) -> None:
        """Write it to an ``.npz`` file, whole or not at all.

        Raises:
            InputError: it is not fitted.
        """
        if not self.parameters_:
            raise InputError("the feedback query is not fitted, so there is nothing to save")
        about = {"format": FORMAT, "epoch": self.epoch_, **self._settings()}
        save_arrays(path, about, self.parameters_)

    @classmethod
    def load(cls, path: str | Path) -> FeedbackQuery:
        """Read what `save` wrote; nothing in the file is executed.

        Raises:
            InputError: the file is not there, no such model, of another version, or its arrays do not fit.
        """
        try:
            with Path(path).open("rb") as file, np.load(file, allow_pickle=False) as stored:
                about = json.loads(str(stored["about"]))
                parameters = {name: np.ascontiguousarray(stored[name], dtype=np.float32) for name in NAMES}
            version, epoch = about.pop("format"), int(about.pop("epoch"))
            model = cls(**about)
        except (OSError, ValueError, KeyError, TypeError, EOFError, AttributeError, zipfile.BadZipFile) as error:
            raise InputError(f"{path} cannot be read as a feedback query ({error})") from None
        if version != FORMAT:
            raise InputError(f"{path}: written in format {version}; this version reads format {FORMAT}")
        dimension = parameters["ranks"].shape[-1]
        wanted = new_parameters(dimension, model.feedback, model.heads, model.width, np.random.default_rng(0))
        for name, values in parameters.items():
            if values.shape != wanted[name].shape or not np.isfinite(values).all():
                raise InputError(f"{path}: {name} must be finite numbers of shape {wanted[name].shape}")
        model.parameters_, model.epoch_ = parameters, epoch
        return model

    def _settings(self) -> dict[str, Any]:
        names = [
            "feedback",
            "heads",
            "width",
            "itself",
            "ranking",
            "epochs",
            "rate",
            "batch",
            "holdout",
            "encoder",
            "seed",
        ]
        return {name: getattr(self, name) for name in names}

    def _loss(
        self, parameters: Parameters, queries: Float32, documents: Float32, seen: Int64, ordered: Int64
    ) -> tuple[float, Parameters]:
        """The loss of one batch and its gradient by each parameter."""
        trace = forward(parameters, queries, documents[np.maximum(seen, 0)], seen >= 0, self.itself)
        flat = ordered.reshape(-1)
        given = documents[np.maximum(flat, 0)]
        count, width = ordered.shape
        own = np.arange(count) * width
        # Another query's candidate may be this one's positive; it must not be pushed away.
        part = (flat[None, :] != ordered[:, :1]) & (flat >= 0)
        part[np.arange(count), own] = True
        loss, slope = info_nce(trace.unit @ given.T, own, temperature=CONTRAST, mask=part)
        by_unit: Floats = slope.astype(np.float32) @ given
        if self.ranking:
            lists = given.reshape(count, width, -1)
            ranked, pull = rank_net(np.einsum("bd,bmd->bm", trace.unit, lists), temperature=RANKING, mask=ordered >= 0)
            loss += self.ranking * ranked
            by_unit = by_unit + self.ranking * np.einsum("bm,bmd->bd", pull.astype(np.float32), lists)
        return loss, backward(parameters, trace, by_unit)

    def _held_out(
        self, parameters: Parameters, queries: Float32, documents: Float32, seen: Int64, ordered: Int64, held: Int64
    ) -> float:
        """The mean loss over queries that were held out; infinite where none were."""
        losses = [
            rows.size * self._loss(parameters, queries[rows], documents, seen[rows], ordered[rows])[0]
            for rows in _batches(held, self.batch)
        ]
        return sum(losses) / held.size if held.size else float("inf")


def _rows(given: npt.ArrayLike, queries: int, documents: int, name: str) -> Int64:
    rows = np.asarray(given)
    if rows.ndim != 2 or len(rows) != queries or not (np.issubdtype(rows.dtype, np.integer) or not rows.size):
        raise InputError(f"{name} has shape {rows.shape}; expected whole numbers of shape ({queries}, K)")
    if rows.size and (rows.min() < -1 or rows.max() >= documents):
        raise InputError(f"{name} names row {rows.min()} or {rows.max()}; there are rows 0 to {documents - 1}, and -1")
    return rows.astype(np.int64)


def _parted(
    queries: int, groups: npt.ArrayLike | None, holdout: float, random: np.random.Generator
) -> tuple[Int64, Int64]:
    """Queries to learn from and queries that are held out, whole groups at a time."""
    given = np.arange(queries) if groups is None else np.asarray(groups)
    if given.shape != (queries,):
        raise InputError(f"groups has shape {given.shape}; expected ({queries},), one a query")
    names, group = np.unique(given, return_inverse=True)
    chosen = random.permutation(names.size)[: int(holdout * names.size)]
    held = np.isin(group, chosen)
    if not queries or held.all():
        raise InputError(f"there are {queries} queries, which leaves none to learn from")
    return np.flatnonzero(~held), np.flatnonzero(held)


def _batches(rows: Int64, size: int) -> Iterator[Int64]:
    for start in range(0, rows.size, size):
        yield rows[start : start + size]
