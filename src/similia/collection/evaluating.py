"""Evaluate: how good ways to search a collection are, by judgments, side by side and on the same queries."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from similia.collection.evaluated import CollectionEvaluation
from similia.collection.evaluation_input import (
    Coverage,
    Material,
    Path_,
    checked,
    judgments_of,
    material,
    queries_of,
)
from similia.collection.searching import MOST, whole_number
from similia.collection.settings import Setting, settings_of
from similia.collection.side_by_side import Asking
from similia.collection.workspace import State
from similia.errors import InputError, SimiliaError
from similia.evaluate.judged import Qrels, Run
from similia.evaluate.reliance import CUT, Calibration, calibration_of
from similia.evaluate.run import DEFAULT_METRICS, parse_metric
from similia.evaluate.trial import Trial, try_out
from similia.progress import bar

if TYPE_CHECKING:
    from similia.collection.collection import Collection
    from similia.collection.losing import Losses

K = 100
LOST_AT = 10
"""How many places the funnel is also shown for, beside as many as were asked for."""


def evaluate_collection(
    collection: Collection,
    queries: Mapping[str, str] | Sequence[str] | Path_ | None = None,
    judgments: Qrels | Path_ | None = None,
    *,
    settings: Mapping[str, Setting] | None = None,
    runs: Mapping[str, Run | Path_] | None = None,
    metrics: Sequence[str] = DEFAULT_METRICS,
    k: int = K,
    sense: str = "topic",
    where: str | None = None,
    relevant_from: float | None = None,
    drop_unknown: bool = False,
    limit: int | None = None,
    seed: int = 0,
    progress: bool | None = None,
) -> CollectionEvaluation:
    """See `similia.collection.Collection.evaluate`."""
    started = time.perf_counter()
    depth = depth_for(metrics, k)
    whole_number("seed", seed, 0)
    chosen = settings_of(settings, sense)
    others = _runs(runs, chosen)
    texts, qrels = _given(queries, judgments, collection, sense)
    space = collection._space
    with space.reading() as state:
        state.ready(sense)
        asked = _material(state, texts, qrels, where, limit, drop_unknown, relevant_from)
        asking = Asking(collection, state, asked, chosen, where, depth, optional=settings is None)
        with bar("asking", len(asked.texts), unit="queries", show=progress) as shown:
            asking.run(shown)
        done = _answered(asked, asking.done, drop_unknown)
        lost: list[Losses] = []
        ended = _ended(asking.ended, done, asked)
        if not ended:
            try:
                lost = _losses(state, asking, done, where, relevant_from, progress)
            except (KeyboardInterrupt, SimiliaError) as stopped:
                asking.ended = str(stopped) or "interrupted"
                ended = [f"partial: where relevant items are lost is not told ({asking.ended}); the rest is whole"]
    found = {name: {query: asking.runs[name][query] for query in done.texts} for name in asking.settings}
    trial = try_out(
        {**found, **others}, done.texts, done.qrels, metrics, relevant_from=relevant_from, depth=depth, seed=seed
    )
    return CollectionEvaluation(
        collection.name,
        trial,
        {**{name: one.words() for name, one in asking.settings.items()}, **dict.fromkeys(others, "a run from a file")},
        {name: asking.seconds[name] / len(done.texts) * 1e3 for name in asking.settings},
        done.coverage,
        depth,
        seed,
        tuple(lost),
        _calibration(asking, done, relevant_from),
        notes=_notes(trial, done, others, [*ended, *asking.notes]),
        ended=asking.ended,
        planned=len(asked.texts),
        seconds=time.perf_counter() - started,
    )


def evaluate_runs(
    runs: Mapping[str, Run | Path_],
    judgments: Qrels | Path_,
    queries: Mapping[str, str] | Sequence[str] | Path_ | None = None,
    *,
    metrics: Sequence[str] = DEFAULT_METRICS,
    k: int = K,
    relevant_from: float | None = None,
    limit: int | None = None,
    seed: int = 0,
    name: str = "runs",
) -> CollectionEvaluation:
    """Compare runs of other systems on the same judgments; no collection takes part.

    Args:
        runs: name -> query -> item -> score, or a file of it; the first is what the others are tested against.
        judgments: query -> item -> grade, or a file of it.
        queries: id -> text, or a file of it, for the report; where None, queries are called by their ids.
        metrics: as in `similia.evaluate.evaluate`.
        k: how deep recall by depth is drawn. The runs are measured as they are.
        relevant_from: the grade from which an item is relevant, for all but nDCG; above 0 where None.
        limit: only so many of the queries, the first.
        seed: for the intervals and the tests.
        name: what the report is called.

    Raises:
        InputError: no run, no judged query, an unknown metric.
        SourceError: a file that cannot be read; names the line.

    Examples:
        >>> qrels = {"q": {"a": 1}, "r": {"b": 1}}
        >>> found = evaluate_runs({"one": {"q": {"a": 2.0, "b": 1.0}}}, qrels, metrics=["mrr"])
        >>> found.trial.evaluations["one"].mean("mrr")
        0.5
    """
    started = time.perf_counter()
    depth = depth_for(metrics, k)
    given = _runs(runs, {})
    if not given:
        raise InputError("there is no run to compare; give at least one")
    texts = queries_of(queries)
    if isinstance(judgments, Mapping):
        qrels: Qrels = checked(judgments)
    else:
        known, qrels = judgments_of(judgments, texts)
        texts = texts or known
    texts = {query: query for query in qrels} if texts is None else texts
    asked = material(texts, qrels, limit=_limit(limit), relevant_from=relevant_from)
    trial = try_out(given, asked.texts, asked.qrels, metrics, relevant_from=relevant_from, depth=depth, seed=seed)
    return CollectionEvaluation(
        name,
        trial,
        dict.fromkeys(given, "a run from a file"),
        {},
        asked.coverage,
        depth,
        seed,
        notes=_notes(trial, asked, given, []),
        planned=len(asked.texts),
        seconds=time.perf_counter() - started,
    )


def depth_for(metrics: Sequence[str], k: int) -> int:
    """How many results are asked for: ``k``, or as many as the deepest metric looks at.

    Raises:
        InputError: an unknown metric, or more than a search gives.

    Examples:
        >>> depth_for(["ndcg@10", "recall@1000", "map"], 100)
        1000
    """
    if isinstance(metrics, str) or not metrics:
        raise InputError(f"metrics is {metrics!r}; give a list of names such as {list(DEFAULT_METRICS)}")
    if twice := [metric for metric in metrics if list(metrics).count(metric) > 1]:
        raise InputError(f"metric {twice[0]!r} is given twice")
    cuts = [cut for _, cut in map(parse_metric, metrics) if cut is not None]
    return whole_number("the depth of the deepest metric", max([whole_number("k", k, 1, MOST), *cuts]), 1, MOST)


def _runs(given: Mapping[str, Run | Path_] | None, settings: Mapping[str, Setting]) -> dict[str, Run]:
    from similia.evaluate.formats import read_run

    found: dict[str, Run] = {}
    for name, one in (given or {}).items():
        if name in settings:
            raise InputError(f"{name!r:.80} names a setting and a run; call one of them otherwise")
        found[name] = one if isinstance(one, Mapping) else read_run(one)
    return found


def _given(
    queries: Mapping[str, str] | Sequence[str] | Path_ | None,
    judgments: Qrels | Path_ | None,
    collection: Collection,
    sense: str,
) -> tuple[Mapping[str, str] | None, Qrels]:
    texts = queries_of(queries)
    if isinstance(judgments, Mapping):
        return texts, checked(judgments)
    if judgments is not None:
        known, qrels = judgments_of(judgments, texts)
        if known is None:
            raise InputError(f"{judgments} names its queries by id: give their texts (--queries FILE: id, tab, text)")
        return known, qrels
    own = collection.judgments.qrels(sense)
    if not own:
        raise InputError(
            f"collection {collection.name!r} holds no judgments in sense {sense!r}: make some with similia judge "
            f"{collection.name} QUERY, or give a file of them (--judgments FILE)"
        )
    return (None if texts is None else _by_text(texts, own)), own


def _by_text(texts: Mapping[str, str], own: Qrels) -> dict[str, str]:
    """Queries by their texts, which is how a collection's own judgments name them."""
    return {text: text for name, text in texts.items()} if not any(name in own for name in texts) else dict(texts)


def _limit(limit: int | None) -> int | None:
    return None if limit is None else whole_number("limit", limit, 1)


def _material(
    state: State,
    texts: Mapping[str, str] | None,
    qrels: Qrels,
    where: str | None,
    limit: int | None,
    drop_unknown: bool,
    relevant_from: float | None,
) -> Material:
    """Queries and judgments together, checked against what the collection holds and what passes the filter."""
    items = list({item for one in qrels.values() for item in one})
    numbers = dict(zip(items, state.store.ids(items).tolist(), strict=True))
    held = {item for item, number in numbers.items() if number >= 0}
    predicate = state.predicate(where)
    passing = None
    if predicate is not None:
        ids = set(state.select(predicate).ids.tolist())
        passing = {item for item in held if numbers[item] in ids}
    return material(
        texts,
        qrels,
        limit=_limit(limit),
        held=held,
        passing=passing,
        drop_unknown=drop_unknown,
        relevant_from=relevant_from,
        name=state.space.name,
    )


def _answered(asked: Material, done: Sequence[str], drop: bool) -> Material:
    """The part that was answered."""
    if len(done) == len(asked.texts):
        return asked
    qrels = {query: asked.qrels[query] for query in done}
    items = {item for one in qrels.values() for item in one}
    without = tuple(query for query in asked.coverage.without_relevant if query in qrels)
    unknown = tuple(item for item in asked.coverage.unknown if drop or item in items)
    coverage: Coverage = replace(
        asked.coverage, judgments=sum(map(len, qrels.values())), without_relevant=without, unknown=unknown
    )
    return Material({query: asked.texts[query] for query in done}, qrels, coverage)


def _losses(
    state: State, asking: Asking, done: Material, where: str | None, relevant_from: float | None, progress: bool | None
) -> list[Losses]:
    """The funnel of each sense whose dense view was asked."""
    from similia.collection.losing import losses

    dense = {str(one.sense): one.recall for one in reversed(asking.settings.values()) if one.mode != "text"}
    predicate = state.predicate(where)
    allowed = None if predicate is None else state.select(predicate)
    depths = tuple(sorted({min(LOST_AT, asking.k), asking.k}))
    found: list[Losses] = []
    with bar("looking where relevant items are lost", show=progress):
        for sense, recall in dense.items():
            encoder = state.space.encoder_of(state.ready(sense))
            if encoder is not None and (allowed is None or allowed.ids.size):
                vectors = encoder.encode(list(done.texts.values()), side="query").vectors
                how: dict[str, Any] = {"allowed": allowed, "recall": recall, "relevant_from": relevant_from}
                found += losses(state, sense, vectors, done.qrels, depths, **how)
    return found


def _calibration(asking: Asking, done: Material, relevant_from: float | None) -> dict[str, Calibration]:
    """Whether the probabilities of settings that give any mean what they say."""
    least = math.ulp(0) if relevant_from is None else relevant_from
    found = {}
    for name in asking.settings:
        said: list[float] = []
        true: list[float] = []
        for query, probabilities in asking.relevance[name].items():
            grades = done.qrels.get(query, {})
            said += probabilities.values()
            true += [float(grades[item] >= least) if item in grades else math.nan for item in probabilities]
        if not all(map(math.isnan, true)):
            found[name] = calibration_of(said, true, cut=asking.settings[name].min_relevance or CUT)
    return found


def _ended(why: str, done: Material, asked: Material) -> list[str]:
    count = f"{len(done.texts):,} of {len(asked.texts):,} queries"
    return [f"partial: ended after {count} ({why}); the numbers are of these, in every setting"] if why else []


def _notes(trial: Trial, asked: Material, runs: Mapping[str, Run], first: Sequence[str]) -> tuple[str, ...]:
    said = [*first, *asked.coverage.notes()]
    if trial.counted == 1:
        said.append("one query: no interval and no test, for which at least two are needed")
    for name, run in runs.items():
        silent = sum(not run.get(query) for query in asked.texts)
        if silent:
            said.append(f"{name} finds nothing for {silent:,} of {len(asked.texts):,} queries")
    if not any(grade <= 0 for one in asked.qrels.values() for grade in one.values()):
        said.append("the judgments name relevant items only, so nobody knows of the others whether they are")
    return tuple(said)
