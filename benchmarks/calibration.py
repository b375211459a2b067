"""Whether probabilities of relevance mean what they say, and how often a search for something else is left empty.

python -m benchmarks.calibration [--sets nfcorpus cranfield ...] [--seeds 5]
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.common import command, write
from similia.atlas.vectors import encode
from similia.collection.relevance import SEPARATES
from similia.collection.relevance_fit import FREE, HitCurve
from similia.encode import load
from similia.errors import SimiliaError
from similia.evaluate import datasets
from similia.evaluate.metrics.calibration import calibration_error
from similia.index import ExactIndex
from similia.rank.calibration import (
    EVERYDAY,
    Calibrator,
    UnlabelledCalibrator,
    score_features,
    tail_units,
    word_salads,
)
from similia.rank.calibration.isotonic import IsotonicCurve
from similia.rank.calibration.unlabelled import BORROWED, UNITS
from similia.rank.stems import telling, words
from similia.types import Float32, Int64

KNOWN = ("nfcorpus", "cranfield", "cisi", "cacm", "npl", "adi", "medquad")
"""On these the ways were made, and their constants chosen."""
UNSEEN = ("stackfaq", "trecqa", "politifact")
"""These were not looked at when that was done."""
MOST = 1_000
"""Queries of a collection; of more, so many are drawn, by the seed."""
DEPTH = 100
FOREIGN = 200
"""Queries of other collections that are asked."""
TECHNICAL, MEDICAL = ("cranfield", "npl", "cacm"), ("medquad",)
STRANGE: Mapping[str, tuple[str, ...]] = dict.fromkeys(("cranfield", "cisi", "cacm", "npl", "adi"), MEDICAL)
"""Whose queries are asked of a collection that has nothing on them; of the others, the technical ones."""
JUDGED = (10, 20, 40, 80, 160)
Float64 = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Data:
    """A test collection: vectors of items and queries, and for each query which items are relevant."""

    name: str
    texts: Sequence[str]
    asked: Sequence[str]
    items: Float32
    queries: Float32
    relevant: list[Int64]

    def drawn(self, rng: np.random.Generator, most: int = MOST) -> Int64:
        """Places of some queries."""
        count = len(self.queries)
        return np.arange(count) if count <= most else np.sort(rng.choice(count, most, replace=False))

    def lists(self, queries: Float32) -> tuple[Int64, Float64]:
        """The nearest items and their cosines; of a small collection half of it."""
        hits = ExactIndex(self.items).search(queries, min(DEPTH, len(self.items) // 2))
        return hits.ids, hits.scores.astype(np.float64)

    def labels(self, ids: Int64, places: Int64) -> Float64:
        """Whether the hits of these queries are relevant."""
        return np.array([np.isin(row, self.relevant[at]) for row, at in zip(ids, places, strict=True)], float)


@cache
def data(name: str) -> Data:
    """A collection, encoded; what was encoded before is read."""
    found = datasets.retrieval(name)
    model = load("minilm")
    queries = encode(model, list(found.queries), side="query", progress=False)
    items = encode(model, list(found.documents), progress=False)
    place = {key: at for at, key in enumerate(found.document_ids)}
    relevant = [
        np.array([place[key] for key, grade in found.qrels.get(one, {}).items() if grade > 0 and key in place], int)
        for one in found.query_ids
    ]
    return Data(name, found.documents, found.queries, items, queries, relevant)


def queries_of(texts: Sequence[str]) -> Float32:
    """The vectors of queries."""
    return encode(load("minilm"), list(texts), side="query", progress=False)


def errors(one: Data, seed: int) -> dict[str, float]:
    """Calibration errors on one half of the queries of what is fitted to the other."""
    rng = np.random.default_rng(seed)
    places = one.drawn(rng)
    ids, scores = one.lists(one.queries[places])
    labels = one.labels(ids, places)
    order = rng.permutation(len(places))
    train, test = order[: len(order) // 2], order[len(order) // 2 :]
    features = score_features(scores)
    found: dict[str, float] = {}
    for depth in (10, DEPTH):
        s, y = scores[:, :depth], labels[:, :depth]
        for kind in ("platt", "isotonic"):
            told = Calibrator(kind).fit(s[train], y[train]).transform(s[test])
            found[f"{kind} @{depth}"] = calibration_error(told, y[test])
        adapter = Calibrator("adapter", batch=16, seed=seed).fit(s[train], y[train], features[train])
        found[f"adapter @{depth}"] = calibration_error(adapter.transform(s[test], features[test]), y[test])
    plain = Calibrator("isotonic").fit(scores[train], labels[train]).transform(scores[test])
    found["isotonic of 100 @10"] = calibration_error(plain[:, :10], labels[test][:, :10])
    curve = HitCurve.fit(scores[train], labels[train])
    told = np.stack([curve.transform(row, row) for row in scores[test]])
    for depth in (10, DEPTH):
        found[f"cosine and place @{depth}"] = calibration_error(told[:, :depth], labels[test][:, :depth])
    return found


def presence(one: Data) -> UnlabelledCalibrator:
    """What is told without judgments."""
    strange, own = (one.lists(queries_of(texts))[1] for texts in (EVERYDAY, word_salads(one.texts, 200)))
    return UnlabelledCalibrator().fit(strange, own, items=len(one.items))


def emptied(one: Data, fitted: UnlabelledCalibrator, held: Callable[[str], bool], seed: int) -> dict[str, float]:
    """How many answers are left out for queries about something else, and what is lost for its own."""
    rng = np.random.default_rng(seed)
    sources = [data(name) for name in STRANGE.get(one.name, TECHNICAL)]
    texts = np.array([text for source in sources for text in source.asked], object)
    vectors = np.concatenate([source.queries for source in sources])
    chosen = rng.choice(len(texts), FOREIGN, replace=False)
    away = fitted.presence(one.lists(vectors[chosen])[1]) < 0.5
    words_there = np.array([held(text) for text in texts[chosen]])
    places = one.drawn(rng)
    ids, scores = one.lists(one.queries[places])
    total = np.array([len(one.relevant[at]) for at in places])
    recall = one.labels(ids, places)[:, :10].sum(axis=1)[total > 0] / total[total > 0]
    gone = (fitted.presence(scores) < 0.5)[total > 0]
    guarded = gone & ~np.array([held(one.asked[at]) for at in places])[total > 0]
    best = fitted.presence(one.lists(queries_of(EVERYDAY))[1]) < 0.5
    return {
        "strange queries empty": float(away.mean()),
        "with the words": float((away & ~words_there).mean()),
        "everyday queries empty": float(best.mean()),
        "own queries empty": float(gone.mean()),
        "own, with the words": float(guarded.mean()),
        "recall@10": float(recall.mean()),
        "recall@10 lost": float((recall * gone).mean()),
        "lost, with the words": float((recall * guarded).mean()),
    }


def holder(one: Data) -> Callable[[str], bool]:
    """Whether one item holds every telling word of a query."""
    where: dict[str, set[int]] = {}
    for at, text in enumerate(one.texts):
        for stem in {word.stem for word in words(text)}:
            where.setdefault(stem, set()).add(at)

    @cache
    def held(query: str) -> bool:
        found = [where.get(stem, set()) for stem in telling(query)]
        return bool(found) and bool(set.intersection(*found))

    return held


def by_judged(one: Data, count: int, seed: int) -> dict[str, float] | None:
    """The error of the ten best hits on 30 queries or more, of what is fitted to so many others, 100 deep."""
    rng = np.random.default_rng(seed)
    places = one.drawn(rng)
    order = rng.permutation(len(places))
    train, test = order[:count], order[count:]
    if len(test) < 30:
        return None
    ids, scores = one.lists(one.queries[places])
    labels = one.labels(ids, places)
    curve = HitCurve.fit(scores[train], labels[train])
    left = scores - curve.weight * np.log(np.arange(1, scores.shape[1] + 1))
    found = {}
    for name, x in (("cosine and place", left), ("cosine", scores)):
        for kind in ("platt", "isotonic"):
            told = Calibrator(kind).fit(x[train], labels[train]).transform(x[test])
            found[f"{kind}, {name}"] = calibration_error(told[:, :10], labels[test][:, :10])
    return found


def looked_through(one: Data, seed: int) -> dict[str, float]:
    """The error where people judged seven in ten of the ten best hits of half of the queries, and nothing else.

    What nobody judged is left out, or taken as irrelevant; beside, the error where all is judged.
    """
    rng = np.random.default_rng(seed)
    places = one.drawn(rng)
    ids, scores = one.lists(one.queries[places])
    labels = one.labels(ids, places)
    order = rng.permutation(len(places))
    train, test = order[: len(order) // 2], order[len(order) // 2 :]
    judged = np.zeros(labels.shape, bool)
    judged[:, :10] = rng.random(judged[:, :10].shape) < 0.7
    found: dict[str, float] = {}
    for name, rest in (("left out", np.nan), ("irrelevant", 0.0), ("all judged", labels)):
        curve = HitCurve.fit(scores[train], np.where(judged, labels, rest)[train])
        told = np.stack([curve.transform(row, row) for row in scores[test]])
        for depth in (10, DEPTH):
            found[f"{name} @{depth}"] = calibration_error(told[:, :depth], labels[test][:, :depth])
    return found


def borrowed() -> list[float]:
    """The curve of `similia.rank.calibration.unlabelled`: relevance by tail units, every collection of one weight."""
    units, labels, weights = [], [], []
    for name in KNOWN:
        if name == "adi":  # half of its 82 items are no tail
            continue
        one = data(name)
        places = one.drawn(np.random.default_rng(0), 600)
        ids, scores = one.lists(one.queries[places])
        units.append(tail_units(scores).ravel())
        labels.append(one.labels(ids, places).ravel())
        weights.append(np.full(scores.size, 1.0 / scores.size))
    curve = IsotonicCurve().fit(np.concatenate(units), np.concatenate(labels), np.concatenate(weights))
    return [round(float(value), 3) for value in curve.probability(np.array(UNITS))]


def averaged(found: Sequence[Mapping[str, float]], spread: bool) -> dict[str, Any]:
    """Means over seeds, and where it is wanted their deviations."""
    row: dict[str, Any] = {}
    for name in found[0]:
        values = np.array([one[name] for one in found])
        row[name] = f"{values.mean():.3f}" + (f" ± {values.std():.3f}" if spread else "")
    return row


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sets", nargs="+", default=[*KNOWN, *UNSEEN])
    parser.add_argument("--seeds", type=int, default=5)
    arguments = parser.parse_args()
    told, empty, fewer, seen = [], [], [], []
    for name in arguments.sets:
        try:
            one = data(name)
        except SimiliaError as error:
            print(f"{name} is left out: {error}", flush=True)
            continue
        size = {"collection": name, "items": len(one.items), "queries": min(len(one.queries), MOST)}
        print(size, flush=True)
        told.append({**size, **averaged([errors(one, seed) for seed in range(arguments.seeds)], True)})
        fitted, held = presence(one), holder(one)
        several = [emptied(one, fitted, held, seed) for seed in range(arguments.seeds)]
        empty.append({"collection": name, "separation": f"{fitted.separation_:.3f}", **averaged(several, False)})
        parts = [looked_through(one, seed) for seed in range(arguments.seeds)]
        seen.append({"collection": name, **averaged(parts, False)})
        for count in JUDGED:
            tried = [row for seed in range(arguments.seeds) if (row := by_judged(one, count, seed)) is not None]
            if tried:
                fewer.append({"collection": name, "judged queries": count, **averaged(tried, False)})
    said = command("calibration")
    unseen = ", ".join(UNSEEN)
    curve = borrowed()
    same = "the one in the code" if tuple(curve) == BORROWED else f"the one in the code is {list(BORROWED)}"
    write(
        "calibration",
        "Calibration: are as many hits relevant as the probabilities say?",
        said,
        told,
        "Expected calibration error in 15 bins of equal counts, on one half of the queries, of what is fitted to the"
        f" other half; mean and deviation of {arguments.seeds} splits. @10 and @100: over the ten, or the hundred, best"
        " hits by MiniLM. Platt, isotonic and adapter are fitted to lists of that very depth; 'isotonic of 100' is"
        " fitted to a hundred hits and read at ten, as a search would have to. 'Cosine and place' is what a collection"
        " does: fitted once, to a hundred hits, on the cosine and the logarithm of the place (isotonic from"
        f" {FREE} queries on, Platt below). {unseen}: not looked at when constants were chosen."
        f" The curve that is borrowed without judgments, at {list(UNITS)} units of the tail: {curve}; {same}.",
    )
    write(
        "calibration_empty",
        "Nothing there: how often is a search for something else left empty, and what does it cost?",
        said,
        empty,
        f"Answers are left out where the presence, estimated without judgments, is below .5. Strange queries: {FOREIGN}"
        " of another field's test collection; everyday queries are those that it was fitted with. 'With the words':"
        " where an item holds every telling word of the query, the answer stays. Recall@10 lost is in the mean over all"
        f" own queries. Separation below {SEPARATES}: a collection leaves nothing out there, and these numbers are"
        f" what it would do. Mean of {arguments.seeds} draws. {unseen}: not looked at when constants were chosen.",
    )
    write(
        "calibration_judged",
        "How many judged queries a calibration needs",
        said,
        fewer,
        "Expected calibration error over the ten best hits of queries that were not fitted to (at least 30), fitted to"
        f" a hundred hits of so many judged queries; mean of {arguments.seeds} draws.",
    )
    write(
        "calibration_looked",
        "What to think of hits that nobody judged",
        said,
        seen,
        "Half of the queries are fitted to, of each of which seven in ten of the ten best hits are judged: the others"
        " are left out, or taken as irrelevant, or all are judged. Expected calibration error on the other half; mean"
        f" of {arguments.seeds} splits.",
    )


if __name__ == "__main__":
    main()
