"""How building, searching, loading and memory of the engine grow with the number of vectors.

python -m benchmarks.engine_growth     # needs the extras fast and bench; some minutes, and 6 GiB

The vectors are those of `benchmarks.engine`; a million is made of them by adding noise to copies, for this curve only.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from benchmarks.common import cost, peak_mebibytes, run, write
from benchmarks.vectors import load
from similia.index import Engine, GraphIndex, ScanIndex
from similia.measure import neighbour_recall
from similia.types import Float32

COUNTS = (10_000, 100_000, 1_000_000)
NOISE = 0.35  # of the length: a copy is about as far from its origin as its neighbours are
K = 10
ASKED = 400
BEAMS = (10, 14, 20, 28, 40, 56, 80, 112, 160, 224, 320)


def grown(base: Float32, count: int) -> Float32:
    """The first ``count`` vectors, or all and as many noisy copies as are missing."""
    if count <= len(base):
        return np.ascontiguousarray(base[:count])
    rng = np.random.default_rng(0)
    found = np.empty((count, base.shape[1]), np.float32)
    found[: len(base)] = base
    for start in range(len(base), count, 50_000):
        stop = min(start + 50_000, count)
        copies = base[np.arange(start, stop) % len(base)]
        noise = rng.normal(size=copies.shape).astype(np.float32)
        copies = copies + NOISE / np.sqrt(base.shape[1]) * noise
        found[start:stop] = copies / np.linalg.norm(copies, axis=1, keepdims=True)
    return found


def per_query(search: Any, queries: Float32) -> float:
    """Processor microseconds a query, the least of three."""
    spent = []
    for _ in range(3):
        started = time.process_time()
        search(queries)
        spent.append((time.process_time() - started) / len(queries) * 1e6)
    return min(spent)


def one(count: int) -> dict[str, Any]:
    """Everything for so many vectors, in this process."""
    vectors = load()
    base, queries = grown(vectors.base, count), vectors.inside[:ASKED]
    scan = ScanIndex(base)
    truth = scan.search(queries, K, threads=1).ids
    with cost() as building:
        graph = GraphIndex(base)
    half = ASKED // 2
    reached = ((beam, neighbour_recall(graph.search(queries[:half], K, beam=beam).ids, truth[:half])) for beam in BEAMS)
    beam, _ = next(pair for pair in reached if pair[1] >= 0.95)
    found = graph.search(queries[half:], K, beam=beam).ids
    with tempfile.TemporaryDirectory() as folder:
        engine = Engine(base)
        engine.graph = graph
        with cost() as saving:
            engine.save(folder)
        size = (Path(folder) / "index").stat().st_size
        Engine.load(folder)
        with cost() as loading:
            Engine.load(folder)
    return {
        "vectors": count,
        "build, CPU s": building.cpu,
        "graph, MiB": graph.nbytes / 2**20,
        "codes, MiB": (scan.nbytes - scan.exact.nbytes) / 2**20,
        "vectors, MiB": base.nbytes / 2**20,
        "beam": beam,
        "recall": neighbour_recall(found, truth[half:]),
        "graph, CPU µs": per_query(lambda asked: graph.search(asked, K, beam=beam), queries[half:]),
        "scan (exact), CPU µs": per_query(lambda asked: scan.search(asked, K, threads=1), queries[half:]),
        "save, s": saving.wall,
        "load, s": loading.wall,
        "file, MiB": size / 2**20,
        "peak, MiB": peak_mebibytes(),
    }


def main() -> None:
    """Run each size in a process of its own."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--one", type=int, help="this size alone, in this process")
    parser.add_argument("--counts", type=int, nargs="+", default=COUNTS)
    arguments = parser.parse_args()
    if arguments.one:
        with threadpool_limits(1):
            print(json.dumps(one(arguments.one)))
        return
    write(
        "engine_growth",
        "How the engine grows",
        "python -m benchmarks.engine_growth",
        [run("benchmarks.engine_growth", "--one", str(count)) for count in arguments.counts],
        "384 dimensions, queries like the items; the graph's beam is the least that reached a recall of .95 on other "
        "queries. Loading verifies every checksum and maps the file; the vectors are in it. Peak is that of the whole "
        "process, vectors, copies and all.",
    )


if __name__ == "__main__":
    main()
