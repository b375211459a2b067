"""Lists that a first stage found, a teacher's order of them, and new queries measured on them: MedQuAD and TREC QA."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from similia.atlas.registry import Settings
from similia.atlas.vectors import encode
from similia.encode import load
from similia.evaluate import datasets, ndcg
from similia.index import ExactIndex
from similia.rank.feedback import FeedbackQuery, Rocchio
from similia.rank.feedback.searching import score_again
from similia.types import Bool, Float32, Hits, Int64

POOL, K, TAUGHT = 100, 20, 16
"""Hits that are ordered again, those that the query sees, and those that the teacher puts in order."""
LISTS = 32
"""Sentences of a question of TREC QA that the teacher puts in order."""
Float64: TypeAlias = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Questions:
    """Questions, answers, and what a first stage found.

    Attributes:
        queries: (q, d).
        documents: (n, d).
        hits: (q, POOL), best first.
        right: int (q, r), the answers of each question, -1 where fewer.
        focus: (q,) of each question.
        document_focus: (n,).
        kind: (q,) of each question.
        document_kind: (n,).
    """

    queries: Float32
    documents: Float32
    hits: Hits
    right: Int64
    focus: Int64
    document_focus: Int64
    kind: Int64
    document_kind: Int64

    def vectors(self, rows: Int64) -> Float32:
        """Those of some documents."""
        return self.documents[rows]


def questions(settings: Settings) -> Questions:
    """Questions of MedQuAD, each once, and all answers."""
    table = list(datasets.records("medquad_pairs"))
    random = np.random.default_rng(settings.seed)
    focus = numbers([row["focus"].casefold() or row["document"] for row in table])
    if settings.quick:
        order = random.permutation(focus.max() + 1)[focus]
        kept = order < np.sort(order)[400]
        table, focus = [row for row, keep in zip(table, kept, strict=True) if keep], focus[kept]
    kind = numbers([row["kind"] for row in table])
    answers: dict[str, list[int]] = {}
    for place, pair in enumerate(table):
        answers.setdefault(pair["question"], []).append(place)
    first = np.array([places[0] for places in answers.values()])
    right = np.full((len(answers), max(map(len, answers.values()))), -1, np.int64)
    for row, places in enumerate(answers.values()):
        right[row, : len(places)] = places
    encoder = load("minilm")
    documents = encode(encoder, [row["answer"] for row in table], progress=settings.progress)
    queries = encode(encoder, [*answers], side="query", progress=settings.progress)
    hits = ExactIndex(documents).search(queries, POOL)
    return Questions(queries, documents, hits, right, focus[first], focus, kind[first], kind)


def numbers(names: Sequence[str]) -> Int64:
    """A number for each different name."""
    return np.unique(names, return_inverse=True)[1].astype(np.int64)


def split(focus: Int64, seed: int) -> tuple[Int64, Int64]:
    """Questions of 70 % of the foci to learn from, and of the others to test."""
    names = np.unique(focus)
    chosen = np.random.default_rng(seed + 1).permutation(names)[: round(0.7 * names.size)]
    known = np.isin(focus, chosen)
    return np.flatnonzero(known), np.flatnonzero(~known)


def at(hits: Hits, rows: Int64) -> Hits:
    """The hits of some queries."""
    return Hits(hits.ids[rows], hits.scores[rows])


def teacher(found: Questions, rows: Int64) -> tuple[Int64, Int64]:
    """Candidates (q, 16) of some questions, the right answers among them, and the teacher's permutations."""
    candidates = np.full((rows.size, TAUGHT), -1, np.int64)
    permutations = np.empty_like(candidates)
    for place, row in enumerate(rows.tolist()):
        right = found.right[row][found.right[row] >= 0][: TAUGHT // 2]
        pool = found.hits.ids[row]
        given = np.concatenate([right, pool[(pool >= 0) & ~np.isin(pool, found.right[row])]])[:TAUGHT]
        candidates[place, : given.size] = given
        cosines = found.documents[given] @ found.queries[row]
        order = np.lexsort(
            (
                -cosines,
                found.document_kind[given] != found.kind[row],
                found.document_focus[given] != found.focus[row],
                ~np.isin(given, right),
            )
        )
        permutations[place] = np.concatenate([order, np.arange(given.size, TAUGHT)])
    return candidates, permutations


def feedback(found: Questions, rows: Int64, count: int, *, shuffle: int | None = None) -> Int64:
    """The first hits of some questions, (q, count); with ``shuffle``, a seed, those of others among them."""
    giving = rows if shuffle is None else np.roll(np.random.default_rng(shuffle).permutation(rows), 1)
    if shuffle is not None:
        taking = np.random.default_rng(shuffle).permutation(rows.size)
        swapped = np.empty_like(rows)
        swapped[taking] = giving
        giving = swapped
    return found.hits.ids[giving, :count]


# -- measuring


def move(model: FeedbackQuery, found: Questions, rows: Int64, seen: Int64) -> Float32:
    """The new queries of some questions, which see these documents."""
    there = np.where(seen >= 0, 0.0, -np.inf)
    return model(found.queries[rows], found.documents[np.maximum(seen, 0)], there)


def quality(found: Questions, rows: Int64, moved: Float32) -> Float64:
    """nDCG@10 of each question's first hits in the order of its new query."""
    again = score_again(moved, at(found.hits, rows), found.vectors, 10)
    return gains(again.ids, found.right[rows])


def gains(ids: Int64, right: Int64) -> Float64:
    """nDCG@10 where the right items are (q, r), -1 where fewer."""
    hit: Bool = (ids[:, :, None] == right[:, None, :]) & (right >= 0)[:, None, :]
    return ndcg(hit.any(axis=2).astype(np.float64), (right >= 0).astype(np.float64), 10)


# -- TREC QA


@dataclass(frozen=True, eq=False)
class Sentences:
    """Judged sentences of each question: rows of ``documents`` by cosine, (q, k), -1 at the end, and labels."""

    queries: Float32
    documents: Float32
    ids: Int64
    labels: Float64

    def quality(self, moved: Float32) -> Float64:
        """nDCG@10 of all judged sentences."""
        hits = Hits(self.ids, np.where(self.ids >= 0, 0.0, -np.inf))
        again = score_again(moved, hits, lambda rows: self.documents[rows], 10)
        right = np.where(self.labels > 0, self.ids, -1)
        return gains(again.ids, right)


def sentences(part: str, settings: Settings) -> Sentences:
    """A split of TREC QA; questions of which all sentences have one label are left out."""
    data = datasets.retrieval("trecqa", part)
    encoder = load("minilm")
    documents = encode(encoder, data.documents, progress=settings.progress)
    asked = encode(encoder, data.queries, side="query", progress=settings.progress)
    place = {name: row for row, name in enumerate(data.document_ids)}
    usable = [
        row for row, name in enumerate(data.query_ids) if len({grade > 0 for grade in data.qrels[name].values()}) == 2
    ]
    widest = max(len(data.qrels[data.query_ids[row]]) for row in usable)
    ids, labels = np.full((len(usable), widest), -1, np.int64), np.zeros((len(usable), widest))
    for row, query in enumerate(usable):
        grades = data.qrels[data.query_ids[query]]
        own = np.array([place[name] for name in grades])
        order = np.argsort(-(documents[own] @ asked[query]), kind="stable")
        ids[row, : own.size] = own[order]
        labels[row, : own.size] = (np.array([*grades.values()]) > 0)[order]
    return Sentences(asked[usable], documents, ids, labels)


def on_sentences(models: Sequence[FeedbackQuery], settings: Settings) -> dict[str, float]:
    """nDCG@10 on the test questions of TREC QA."""
    train, test = (sentences(part, settings) for part in ("train", "test"))
    # All relevant sentences and the nearest of the others, those that are relevant first.
    key = np.where(train.ids >= 0, np.where(train.labels > 0, 0, 1), 2)
    order = np.argsort(key, axis=1, kind="stable")[:, :LISTS]
    candidates = np.take_along_axis(train.ids, order, axis=1)
    seen = test.ids[:, :K]
    there = np.where(seen >= 0, 0.0, -np.inf)
    given = test.documents[np.maximum(seen, 0)]
    found: dict[str, list[Float64]] = {"trained on TREC QA": [], "trained on MedQuAD": []}
    for model in models:
        own = FeedbackQuery(feedback=K, batch=16, seed=model.seed)
        own.fit(train.queries, train.documents, train.ids[:, :K], candidates, progress=settings.progress)
        found["trained on TREC QA"].append(test.quality(own(test.queries, given, there)))
        found["trained on MedQuAD"].append(test.quality(model(test.queries, given, there)))
    near = np.where(there == 0, 1.0, -np.inf)
    near[:, 3:] = -np.inf
    means = {name: np.mean(values, axis=0) for name, values in found.items()}
    means["plain"] = test.quality(test.queries)
    means["Rocchio"] = test.quality(Rocchio(0.5)(test.queries, given, near))
    return {f"TREC QA, {len(seen)} questions: {name}": float(values.mean()) for name, values in means.items()}
