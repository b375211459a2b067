"""How good each view and each fusion is on judged collections: nDCG@10, with intervals over queries.

python -m benchmarks.retrieval_quality [--sets nfcorpus cranfield ...]
"""

from __future__ import annotations

import argparse
import json
import math
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.common import RESULTS, write
from similia.atlas.vectors import encode
from similia.collection.store import Store
from similia.encode import load
from similia.evaluate import bootstrap_interval, compare, datasets, evaluate_hits, paired_bootstrap, randomisation_test
from similia.evaluate.datasets import RetrievalDataset
from similia.index import ExactIndex
from similia.rank import adaptive_weights, fuse
from similia.types import Hits

SETS = ("nfcorpus", "cranfield", "cisi", "cacm", "npl", "adi")
METRIC = "ndcg@10"
POOL = 1_000
BASELINE = "hybrid: RRF"


def views(data: RetrievalDataset) -> tuple[Hits, Hits, list[list[float]]]:
    """Dense hits, full-text hits, and the idf of each query's words, as a collection would find them."""
    encoder = load("minilm")
    depth = min(POOL, len(data.documents))
    index = ExactIndex(encode(encoder, data.documents))
    dense = index.search(encode(encoder, data.queries, side="query"), depth)
    with tempfile.TemporaryDirectory() as folder, Store.create(Path(folder) / "collection") as store:
        with store.change("add", {}) as change, change.transaction():
            change.set_fields({"text": "text"})
            change.put(list(data.document_ids), [{"text": text} for text in data.documents], vectors={})
        ids = store.ids(data.document_ids)
        found = [store.text_search(query, depth) for query in data.queries]
        counts = [store.term_statistics(query) for query in data.queries]
    stored = np.concatenate([hits.ids for hits in found])
    position = np.where(stored >= 0, np.searchsorted(ids, stored), -1)
    idf = [[math.log(total / max(count, 1)) for count in words.values()] for total, words in counts]
    return dense, Hits(position, np.concatenate([hits.scores for hits in found])), idf


FUSIONS: Mapping[str, Callable[[Hits, Hits, list[list[float]], int], Hits]] = {
    "text (BM25)": lambda dense, text, idf, n: text,
    "dense (minilm)": lambda dense, text, idf, n: dense,
    BASELINE: lambda dense, text, idf, n: fuse([dense, text], POOL),
    "hybrid: RRF .6/.4": lambda dense, text, idf, n: fuse([dense, text], POOL, method="weighted", weights=(0.6, 0.4)),
    "hybrid: RRF, adaptive (paper)": lambda dense, text, idf, n: fuse(
        [dense, text], POOL, method="weighted", weights=adaptive_weights(idf, n, rule="exact")
    ),
    "hybrid: RRF, adaptive (content words)": lambda dense, text, idf, n: fuse(
        [dense, text], POOL, method="weighted", weights=adaptive_weights(idf, n)
    ),
    "hybrid: min-max": lambda dense, text, idf, n: fuse([dense, text], POOL, method="score"),
    "hybrid: min-max .6/.4": lambda dense, text, idf, n: fuse([dense, text], POOL, method="score", weights=(0.6, 0.4)),
    "hybrid: z": lambda dense, text, idf, n: fuse([dense, text], POOL, method="score", normalisation="z"),
}


def main(sets: Sequence[str]) -> None:
    """Measure and write."""
    values: dict[str, dict[str, np.ndarray]] = {name: {} for name in FUSIONS}
    details: dict[str, Any] = {}
    for name in sets:
        data = datasets.retrieval(name)
        dense, text, idf = views(data)
        evaluations = {
            fusion: evaluate_hits(
                make(dense, text, idf, len(data.documents)),
                data.qrels,
                [METRIC, "recall@100", "map"],
                queries=data.query_ids,
                items=data.document_ids,
            )
            for fusion, make in FUSIONS.items()
        }
        details[name] = compare(evaluations).to_dict()
        for fusion, evaluation in evaluations.items():
            values[fusion][name] = evaluation[METRIC]
    rows = []
    for fusion, by_set in values.items():
        row: dict[str, Any] = {"ranking": fusion}
        for name in sets:
            interval = bootstrap_interval(by_set[name])
            row[name] = f"{interval.value:.3f} ± {(interval.high - interval.low) / 2:.3f}"
        row["mean of sets"] = round(float(np.mean([by_set[name].mean() for name in sets])), 4)
        pooled, base = (np.concatenate([row_[name] for name in sets]) for row_ in (by_set, values[BASELINE]))
        if fusion != BASELINE:
            difference = paired_bootstrap(pooled, base)
            row["all queries, against RRF"] = (
                f"{difference.value:+.3f} [{difference.low:+.3f}, {difference.high:+.3f}], "
                f"p = {randomisation_test(pooled, base):.3f}"
            )
        rows.append(row)
    singles = [fusion for fusion in FUSIONS if not fusion.startswith("hybrid")]
    best = np.array([max(values[single][name].mean() for single in singles) for name in sets])
    gains = {
        fusion: float(np.mean([values[fusion][name].mean() for name in sets] - best))
        for fusion in FUSIONS
        if fusion not in singles
    }
    write(
        "retrieval_quality",
        "Retrieval quality, nDCG@10",
        "python -m benchmarks.retrieval_quality",
        rows,
        f"Means with half the width of 95 % bootstrap intervals over queries; {POOL:,} hits a view. Gain over the "
        "better single view of each set, on average: "
        + "; ".join(f"{fusion.removeprefix('hybrid: ')} {gain:+.4f}" for fusion, gain in gains.items())
        + ".",
    )
    path = RESULTS / "retrieval_quality.json"
    stored = json.loads(path.read_text())
    path.write_text(
        json.dumps({**stored, "gain over the better single view": gains, "details": details}, indent=1) + "\n"
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sets", nargs="+", default=[name for name in SETS if datasets.available(name)])
    main(parser.parse_args().sets)
