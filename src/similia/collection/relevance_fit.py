"""What the relevance of hits is learned from: queries about something else, salads of a sense's words, judged lists."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from similia.collection.definition import Definition
from similia.collection.store import SenseRow
from similia.collection.words import text_of
from similia.collection.workspace import State
from similia.encode import Encoder
from similia.errors import InputError
from similia.index import ExactIndex
from similia.progress import Progress
from similia.rank.calibration import EVERYDAY, Calibrator, UnlabelledCalibrator, word_salads
from similia.rank.calibration.calibrator import Kind
from similia.rank.calibration.inputs import Float64, sigmoid
from similia.types import Float32, Int64

Grades = Mapping[str, Mapping[str, float]]
"""Query -> item -> grade."""

DEPTH = 100
"""Hits of a list that are learned from."""
SHOWN = 10
"""Hits of a list that the calibration error is about: those that people look at."""
SALADS = 200
TEXTS = 2_000
"""Items whose words are in the salads, and of each so many characters at most:"""
CHARACTERS = 2_000
SEARCHED = 100_000
"""Items that strange queries and salads are compared with; of more, so many are drawn."""
QUERIES = 1_000
"""Judged queries to learn from; of more, so many are drawn."""
FREE = 40
"""From so many judged queries on the curve has a free form (isotonic), which then errs less on six of eight test
collections; with fewer, a form of two parameters (Platt), which does not take a handful of hits for certainty."""
FOLDS = 5
LOOKED = 0.5
"""Somebody looked through the hits where at least this share of the ten best is judged."""
STEPS, RIDGE = 50, 1e-3
SAME = 1e-6
"""Cosines that differ by no more are of one place: ways of searching round differently."""
BATCH = 64


def fit_presence(
    state: State, row: SenseRow, encoder: Encoder, shown: Progress | None = None
) -> UnlabelledCalibrator | None:
    """Learn the best scores of queries about something else, and of salads of the items' words.

    None where the items hold no word. It takes 300 short queries to encode and, at most, 100,000 items to compare.
    """
    texts = _texts(state, row)
    try:
        salads = word_salads(texts, SALADS)
    except InputError:  # not a word in any text
        return None
    vectors = state.vectors(row)
    few = len(vectors) <= SEARCHED
    index = ExactIndex(vectors.all()[1] if few else vectors.of(_drawn(_ids(state, row), SEARCHED)))
    strange, own = (
        index.search(_encoded(encoder, queries, shown), min(DEPTH, len(index))).scores for queries in (EVERYDAY, salads)
    )
    try:
        return UnlabelledCalibrator(encoder=row.fingerprint).fit(strange, own, items=len(index))
    except InputError:  # an encoder that gives most of these queries no vector
        return None


def judged_lists(
    state: State, row: SenseRow, encoder: Encoder, grades: Grades, shown: Progress | None = None
) -> tuple[Float64, Float64]:
    """The nearest items of judged queries: cosines (q, 100), -inf at empty places, and labels 1, 0 or NaN.

    Relevant is what has a grade above 0. What nobody judged is irrelevant where only relevant items are named, as most
    test collections do it: otherwise everything would seem relevant. Where somebody looked through the best hits, it is
    left out (NaN), since relevant items wait further down. That is so for queries with an item judged to be no answer,
    if over all of these queries at least half of the ten best hits are judged; a few noted mistakes are not enough.
    (With seven in ten of the ten best hits of half of the queries judged, the calibration error of the ten best hits is
    lower on ten of ten test collections where the rest is left out: NPL .050, not .160; with all judged .056.)
    """
    names = list(grades)
    if len(names) > QUERIES:
        chosen = np.sort(np.random.default_rng(0).choice(len(names), QUERIES, replace=False))
        names = [names[place] for place in chosen]
    vectors = _encoded(encoder, names, shown, keep=True)
    told = vectors.any(axis=1)
    hits = state.vectors(row).search(vectors, DEPTH)
    keys = list(dict.fromkeys(item for name in names for item in grades[name]))
    number = dict(zip(keys, state.store.ids(keys).tolist(), strict=True))
    labels = np.full(hits.ids.shape, np.nan)
    for place, name in enumerate(names):
        grade = {number[item]: float(value > 0) for item, value in grades[name].items()}
        labels[place] = [grade.get(item, np.nan) for item in hits.ids[place].tolist()]
    found = hits.scores > -np.inf
    refused = np.array([min(grades[name].values()) <= 0 for name in names], bool)
    best = ~np.isnan(labels[refused, :SHOWN])[found[refused, :SHOWN]]
    left_out = refused if best.size and best.mean() >= LOOKED else np.zeros_like(refused)
    labels[np.isnan(labels) & found & ~left_out[:, None]] = 0.0
    return hits.scores.astype(np.float64)[told], labels[told]


class HitCurve:
    """Probability of a hit from its cosine with the query and its place among the nearest items.

    The place says what the cosine does not: where many items are as near, fewer of them are the answer. The place, as
    its logarithm, is taken off the cosine with the weight that a logistic regression on both gives it, and a
    `Calibrator` is fitted to what is left. By the cosine alone the calibration error of the ten best hits is larger on
    ten of ten test collections (on Cranfield .116 instead of .039; see ``python -m benchmarks.calibration``).

    Attributes:
        weight: what is taken off for a place e times further down, 0 to 1.
        calibrator: of what is left.

    Examples:
        >>> cosines = np.array([[0.9, 0.6, 0.5, 0.4], [0.7, 0.5, 0.3, 0.2]])
        >>> curve = HitCurve.fit(cosines, np.array([[1.0, 1, 0, 0], [1, 0, 0, 0]]))
        >>> curve.transform(cosines[0], cosines[0]).round(1).tolist()
        [0.8999999761581421, 0.5, 0.30000001192092896, 0.20000000298023224]
    """

    def __init__(self, weight: float, calibrator: Calibrator) -> None:
        self.weight, self.calibrator = weight, calibrator

    @classmethod
    def fit(cls, scores: Float64, labels: Float64, fingerprint: str = "") -> HitCurve:
        """Learn from scores (q, k), best first, -inf at empty places, and labels (q, k), NaN where not judged.

        Raises:
            InputError: nothing is judged.
        """
        kind: Kind = "isotonic" if len(scores) >= FREE else "platt"
        weight = place_weight(scores, labels)
        left = scores - weight * np.log(places(scores, scores))
        return cls(weight, Calibrator(kind, encoder=fingerprint).fit(left, labels))

    def transform(self, cosines: npt.ArrayLike, nearest: npt.ArrayLike) -> Float32:
        """The probability of hits (h,) of a query whose nearest items have these cosines (m,), best first."""
        given, best = (np.asarray(one, np.float64).reshape(1, -1) for one in (cosines, nearest))
        told: Float32 = self.calibrator.transform(given - self.weight * np.log(places(given, best)))[0]
        return told

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return {"weight": self.weight, "calibrator": self.calibrator.to_dict()}

    @classmethod
    def from_dict(cls, stored: dict[str, Any]) -> HitCurve:
        """Read what `to_dict` wrote."""
        return cls(float(stored["weight"]), Calibrator.from_dict(stored["calibrator"]))


def places(scores: Float64, nearest: Float64) -> Float64:
    """The place of each score (q, h) among the nearest items (q, m), best first: 1 and how many are above it.

    Examples:
        >>> places(np.array([[0.5, 0.4, -np.inf]]), np.array([[0.9, 0.5, 0.3]])).tolist()
        [[2.0, 3.0, 4.0]]
    """
    found = np.empty(scores.shape)
    for row, (given, best) in enumerate(zip(scores, nearest, strict=True)):
        found[row] = 1.0 + np.searchsorted(-best, -(given + SAME), side="left")
    return found


def place_weight(scores: Float64, labels: Float64) -> float:
    """How many units of cosine a place e times further down counts as, by logistic regression on both, 0 to 1.

    Newton's method with a small ridge, log-odds = a cosine + b ln(place) + c; the weight is -b / a.

    Examples:
        >>> cosines = np.array([[0.9, 0.6, 0.5, 0.4], [0.7, 0.5, 0.3, 0.2]])
        >>> round(place_weight(cosines, np.array([[1.0, 1, 0, 0], [1, 0, 0, 0]])), 2)
        0.07
    """
    known = ~np.isnan(labels) & (scores > -np.inf)
    x = np.stack([scores[known], np.log(places(scores, scores))[known]], axis=1)
    centre, scale = x.mean(axis=0), np.maximum(x.std(axis=0), 1e-9)
    design = np.column_stack([(x - centre) / scale, np.ones(len(x))])
    truth, ridge = labels[known], np.diag([RIDGE, RIDGE, 1e-9])
    weights = np.zeros(3)
    for _ in range(STEPS):
        p = sigmoid(design @ weights)
        slope = design.T @ (p - truth) + ridge @ weights
        curvature = (design * (p * (1 - p))[:, None]).T @ design + ridge
        step = np.linalg.solve(curvature, slope)
        weights = weights - step / max(1.0, float(np.abs(step).max()))
        if np.abs(step).max() < 1e-8:
            break
    a, b = (weights[:2] / scale).tolist()
    if b >= 0:
        return 0.0
    return min(-b / a, 1.0) if a > 0 else 1.0


def held_out_error(scores: Float64, labels: Float64) -> float:
    """The calibration error of a `HitCurve` on queries that it was not fitted to; NaN where nothing can be told.

    The error is that of the ten best hits, by five parts of the queries, each told by a fit to the other four. Of few
    queries it is rather too high than too low, because chance adds to it.
    """
    from similia.evaluate.metrics.calibration import calibration_error

    labels = np.where(scores > -np.inf, labels, np.nan)
    fold = np.random.default_rng(0).permutation(len(scores)) % FOLDS
    told = np.full(scores.shape, np.nan)
    for part in range(FOLDS):
        held = fold == part
        if not np.isnan(labels[~held]).all():
            curve = HitCurve.fit(scores[~held], labels[~held])
            for row in np.flatnonzero(held):
                told[row] = curve.transform(scores[row], scores[row])
    truth = np.where(np.isnan(told), np.nan, labels)[:, :SHOWN]
    return calibration_error(told[:, :SHOWN], truth)


def _texts(state: State, row: SenseRow) -> list[str]:
    """The beginnings of some items, as the sense reads them."""
    fields = Definition.read(row.definition).fields
    records = state.store.records(_drawn(_ids(state, row), TEXTS))
    return [text_of(record, fields)[:CHARACTERS] for record in records]


def _ids(state: State, row: SenseRow) -> Int64:
    parts = state.vectors(row).parts
    return np.concatenate([part.ids if part.alive is None else part.ids[part.alive] for part in parts])


def _drawn(ids: Int64, count: int) -> Int64:
    if ids.size <= count:
        return ids
    return np.sort(np.random.default_rng(0).choice(ids, count, replace=False))


def _encoded(encoder: Encoder, queries: Sequence[str], shown: Progress | None, *, keep: bool = False) -> Float32:
    """The vectors of queries, without those of zeros unless they are kept."""
    blocks = []
    for start in range(0, len(queries), BATCH):
        block = list(queries[start : start + BATCH])
        blocks.append(encoder.encode(block, side="query").vectors)
        if shown is not None:
            shown.advance(len(block))
    vectors = np.concatenate(blocks)
    return vectors if keep else vectors[vectors.any(axis=1)]
