"""How good each view and each fusion is: nDCG@10 on judged collections, and on queries for one known paper.

python -m benchmarks.retrieval_quality [--sets nfcorpus cranfield ...]
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.common import RESULTS, write
from similia.atlas import s046_vstash as vstash
from similia.atlas.hybrid import Views, find
from similia.evaluate import Evaluation, bootstrap_interval, compare, datasets, paired_bootstrap, randomisation_test
from similia.evaluate.run import evaluate_hits
from similia.rank import adaptive_weights, blend, fuse
from similia.types import Hits

JUDGED = ("nfcorpus", "cranfield", "cisi", "cacm", "npl", "adi", "medquad")
"""On these, LIMIT-small and the known papers the weights of the default were chosen."""
UNSEEN = ("stackfaq", "trecqa", "politifact", "cosqa", "wikitable_questions")
"""These were not looked at when that was done."""
KNOWN = ("limit_small", "papers_ir")
METRICS = ("ndcg@10", "recall@100", "map")
POOL = 1_000
QUERIES = 500
MOST = 1_000
"""Queries of a collection; of more, so many are drawn."""
BASELINE = "hybrid: RRF"
DEFAULT = "hybrid: blend (default)"
Float64 = npt.NDArray[np.float64]


def _fuse(views: Views, **how: Any) -> Hits:
    return fuse([views.dense, views.text], 100, **how)


RANKINGS: Mapping[str, Callable[[Views], Hits]] = {
    "text (BM25)": lambda v: v.text,
    "dense (minilm)": lambda v: v.dense,
    BASELINE: _fuse,
    "hybrid: RRF .6/.4": lambda v: _fuse(v, method="weighted", weights=(0.6, 0.4)),
    "hybrid: RRF, adaptive (paper)": lambda v: _fuse(
        v, method="weighted", weights=adaptive_weights(v.idf, v.documents, rule="exact")
    ),
    "hybrid: RRF, adaptive (content words)": lambda v: _fuse(
        v, method="weighted", weights=adaptive_weights(v.idf, v.documents)
    ),
    "hybrid: min-max": lambda v: _fuse(v, method="score"),
    "hybrid: min-max .6/.4": lambda v: _fuse(v, method="score", weights=(0.6, 0.4)),
    "hybrid: z": lambda v: _fuse(v, method="score", normalisation="z"),
    DEFAULT: lambda v: blend(v.dense, v.text, 100, mean=v.mean, deviation=v.deviation).hits,
}


def evaluations(names: Sequence[str]) -> Iterator[tuple[str, dict[str, Evaluation]]]:
    """For each collection, every ranking evaluated on the same queries."""
    for name in names:
        if name == "papers_ir":
            yield from known_papers()
            continue
        data = datasets.retrieval(name)
        chosen = np.arange(len(data.queries))
        if len(chosen) > MOST:
            chosen = np.sort(np.random.default_rng(0).choice(chosen, MOST, replace=False))
        views = find(data.documents, [data.queries[at] for at in chosen], POOL)
        names = [data.query_ids[at] for at in chosen]
        qrels = {query: data.qrels[query] for query in names}
        yield name, evaluated(views, qrels, names, data.document_ids)


def known_papers() -> Iterator[tuple[str, dict[str, Evaluation]]]:
    """Queries for one known abstract of cs.IR: two rare words of it, its title, its title in other words."""
    papers = [record for record in datasets.records("papers_ir") if len(record["abstract"].split()) >= 60]
    abstracts = [str(record["abstract"]) for record in papers]
    targets, queries = vstash.known_items(papers, abstracts, QUERIES, np.random.default_rng(0))
    items = [str(position) for position in range(len(papers))]
    for kind, texts in queries.items():
        names = [str(number) for number in range(len(texts))]
        qrels = {name: {str(target): 1.0} for name, target in zip(names, targets[kind].tolist(), strict=True)}
        yield f"one paper by {kind}", evaluated(find(abstracts, texts, POOL), qrels, names, items)


def evaluated(
    views: Views, qrels: Mapping[str, Mapping[str, float]], queries: Sequence[str], items: Sequence[str]
) -> dict[str, Evaluation]:
    """Each ranking of the views, evaluated."""
    return {
        name: evaluate_hits(rank(views), qrels, METRICS, queries=queries, items=items)
        for name, rank in RANKINGS.items()
    }


def main(judged: Sequence[str], unseen: Sequence[str], known: Sequence[str]) -> None:
    """Measure and write."""
    found = dict(evaluations([*judged, *unseen, *known]))
    judged = [*judged, *unseen]
    values = {name: {where: each[name]["ndcg@10"] for where, each in found.items()} for name in RANKINGS}
    rows = [row(name, values, judged) for name in RANKINGS]
    best = np.array([max(values[view][where].mean() for view in list(RANKINGS)[:2]) for where in judged])
    gains = {
        name: float(np.mean([values[name][where].mean() for where in judged] - best)) for name in list(RANKINGS)[2:]
    }
    worst = min(judged, key=lambda where: values[DEFAULT][where].mean() - best[judged.index(where)])
    margin = values[DEFAULT][worst].mean() - best[judged.index(worst)]
    listed = "; ".join(f"{name.removeprefix('hybrid: ')} {gain:+.4f}" for name, gain in gains.items())
    write(
        "retrieval_quality",
        "Retrieval quality, nDCG@10",
        "python -m benchmarks.retrieval_quality",
        rows,
        f"Means with half the width of 95 % bootstrap intervals over queries; {POOL:,} hits a view. The mean and the"
        f" test are over the judged collections ({', '.join(judged)}; of more than {MOST:,} queries so many are"
        f" drawn). Gain there over the better single view of each collection, on average: {listed}. The default"
        f" gains least on {worst}: {margin:+.4f}. Its weights were chosen without {', '.join(unseen)}. The other"
        f" columns look for exact answers: LIMIT-small asks who likes a thing, and {QUERIES} queries of each kind ask"
        " for one abstract of cs.IR by two rare words of it, by its title, and by its title in other words.",
    )
    path = RESULTS / "retrieval_quality.json"
    details = {where: compare(each).to_dict() for where, each in found.items()}
    stored = json.loads(path.read_text())
    path.write_text(json.dumps({**stored, "gain over the better view": gains, "details": details}, indent=1) + "\n")


def row(name: str, values: Mapping[str, Mapping[str, Float64]], judged: Sequence[str]) -> dict[str, Any]:
    """One row of the table."""
    cells: dict[str, Any] = {"ranking": name}
    cells["mean"] = f"{np.mean([values[name][where].mean() for where in judged]):.4f}"
    if name == BASELINE:
        cells["against RRF"] = ""
    else:
        mine, base = (np.concatenate([values[which][where] for where in judged]) for which in (name, BASELINE))
        difference, p = paired_bootstrap(mine, base), randomisation_test(mine, base)
        shown = "p < .001" if p < 0.001 else f"p = {p:.3f}"
        cells["against RRF"] = f"{difference.value:+.3f} [{difference.low:+.3f}, {difference.high:+.3f}], {shown}"
    for where, numbers in values[name].items():
        interval = bootstrap_interval(numbers)
        cells[where] = f"{interval.value:.3f} ± {(interval.high - interval.low) / 2:.3f}"
    return cells


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sets", nargs="+", default=[name for name in JUDGED if datasets.available(name)])
    main(
        parser.parse_args().sets,
        *([name for name in names if datasets.available(name)] for names in (UNSEEN, KNOWN)),
    )
