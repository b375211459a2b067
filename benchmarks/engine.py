"""The engine against other libraries: recall and processor time on real sentence vectors.

python -m benchmarks.engine [--count N] [--only graph exact filter]     # needs the extras fast and bench

Every system runs on one thread in one process, by turns, in an order drawn anew for every round. The setting of each is
the cheapest that reaches a recall@10 of .95 (and .99) on 1,000 queries; the time is that of 1,000 others.
"""

from __future__ import annotations

import argparse
import random
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from threadpoolctl import threadpool_limits

from benchmarks.common import write
from benchmarks.peers import EFFORTS, EXACT, GRAPHS, Float32, Ids, Maker, System, blas
from benchmarks.vectors import load

K = 10
TARGETS = (0.95, 0.99)
ROUNDS = 5
KINDS = {"in": "like the items", "out": "short phrases"}
SHARES = (0.1, 0.01, 0.001)


def ours_graph(base: Float32) -> System:
    """Our graph index."""
    from similia.index.graph import GraphIndex

    index = GraphIndex(base, metric="cosine")

    def search(queries: Float32, k: int, effort: int) -> Ids:
        return index.search(queries, k, beam=effort).ids

    return System("similia graph", search, EFFORTS, index.nbytes)


def ours_scan(base: Float32) -> System:
    """Our exact scan of codes."""
    from similia.index.scan import ScanIndex

    index = ScanIndex(base)
    return System(
        "similia scan (exact)", lambda q, k, effort: index.search(q, k, threads=1).ids, (0,), index.nbytes + base.nbytes
    )


def recall(found: Ids, truth: Ids) -> float:
    """The share of the true neighbours that were found."""
    return float(np.mean([len(set(one) & set(other)) / len(other) for one, other in zip(found, truth, strict=True)]))


def microseconds(call: Callable[[], Any], queries: int) -> float:
    """Processor time a query."""
    started = time.process_time()
    call()
    return (time.process_time() - started) / queries * 1e6


def built(makers: Sequence[Maker], base: Float32) -> tuple[list[System], dict[str, float]]:
    """Each system that is installed, and the processor seconds that it took."""
    systems, seconds = [], {}
    for maker in makers:
        if not maker.there:
            print(f"{maker.name} is not installed: left out")
            continue
        started = time.process_time()
        systems.append(maker.make(base))
        seconds[systems[-1].name] = time.process_time() - started
        print(f"{maker.name}: built in {seconds[systems[-1].name]:.1f} s", flush=True)
    return systems, seconds


def cheapest(system: System, queries: Float32, truth: Ids, target: float) -> int | None:
    """The least effort that reaches the target, or None."""
    for effort in system.efforts:
        if recall(system.search(queries, K, effort), truth) >= target:
            return effort
    return None


def graphs(base: Float32, queries: dict[str, Float32], truth: dict[str, Ids], about: str) -> None:
    """Graphs and partitions at equal recall."""
    ours = [Maker("similia graph", "numba", ours_graph), Maker("similia scan (exact)", "numba", ours_scan)]
    systems, seconds = built([*ours, *GRAPHS], base)
    half = len(queries["in"]) // 2
    settings = {
        (system.name, kind, target): cheapest(system, queries[kind][:half], truth[kind][:half], target)
        for system in systems
        for kind in KINDS
        for target in TARGETS
    }
    times: dict[tuple[str, str, float], list[float]] = {}
    singles: dict[str, list[float]] = {}
    by_name = {system.name: system for system in systems}
    for turn in range(ROUNDS):
        jobs = [job for job, effort in settings.items() if effort is not None]
        random.Random(turn).shuffle(jobs)
        for job in jobs:
            system, asked, effort = by_name[job[0]], queries[job[1]][half:], settings[job]
            assert effort is not None
            times.setdefault(job, []).append(microseconds(lambda: system.search(asked, K, effort), len(asked)))  # noqa: B023
            if job[1:] == ("in", TARGETS[0]):
                one_by_one = [asked[place : place + 1] for place in range(200)]
                spent = microseconds(lambda: [system.search(one, K, effort) for one in one_by_one], 200)  # noqa: B023
                singles.setdefault(system.name, []).append(spent)
    rows = []
    for system in systems:
        row: dict[str, Any] = {
            "system": system.name,
            "build, CPU s": seconds[system.name],
            "memory, MiB": system.memory / 2**20,
        }
        for kind in KINDS:
            for target in TARGETS:
                job = system.name, kind, target
                effort = settings[job]
                if effort is None:
                    row[f"{target:.2f} {kind}"] = "not reached"
                    continue
                got = recall(system.search(queries[kind][half:], K, effort), truth[kind][half:])
                row[f"{target:.2f} {kind}"] = f"{np.median(times[job]):.0f} ({got:.3f})"
        row["single, 0.95 in"] = float(np.median(singles.get(system.name, [np.nan])))
        rows.append(row)
    write(
        "engine",
        "Search at equal recall",
        "python -m benchmarks.engine --only graph",
        rows,
        f"{about}. Processor microseconds a query (recall@10 of the timed queries), one thread, batches of {half:,}; "
        '"in" queries are texts like the items, "out" are single words and short phrases. Last: one query a call.',
    )


def exact(base: Float32, queries: dict[str, Float32], truth: dict[str, Ids], about: str) -> None:
    """Exact search of a batch."""
    systems, seconds = built([Maker("similia scan (exact)", "numba", ours_scan), *EXACT], base)
    asked = queries["in"]
    times: dict[str, list[float]] = {}
    for system in systems:
        system.search(asked[:64], K, 0)
    for turn in range(ROUNDS):
        order = list(systems)
        random.Random(turn).shuffle(order)
        for system in order:
            times.setdefault(system.name, []).append(
                microseconds(lambda: system.search(asked, K, 0), len(asked))  # noqa: B023
            )
    ours = float(np.median(times[systems[0].name]))
    rows = [
        {
            "system": system.name,
            "build, CPU s": seconds[system.name],
            "CPU µs a query": float(np.median(times[system.name])),
            "ratio to ours": float(np.median(times[system.name])) / ours,
            "recall": recall(system.search(asked, K, 0), truth["in"]),
        }
        for system in systems
    ]
    write(
        "engine_exact",
        "Exact search of a batch",
        "python -m benchmarks.engine --only exact",
        rows,
        f"{about}; {len(asked):,} queries in a batch, one thread.",
    )


def main() -> None:
    """Run what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, help="only so many vectors")
    parser.add_argument("--only", nargs="+", choices=["graph", "exact"], default=["graph", "exact"])
    arguments = parser.parse_args()
    with threadpool_limits(1):
        measure(arguments.count, arguments.only)


def measure(count: int | None, only: Sequence[str]) -> None:
    """Measure on the first ``count`` vectors."""
    vectors = load()
    base = np.ascontiguousarray(vectors.base[:count])
    about = vectors.about if count is None else f"{len(base):,} of {vectors.about}"
    queries: dict[str, npt.NDArray[np.float32]] = {"in": vectors.inside, "out": vectors.outside}
    reference = blas(base)
    truth = {
        kind: np.concatenate(
            [reference.search(asked[start : start + 200], K, 0) for start in range(0, len(asked), 200)]
        )
        for kind, asked in queries.items()
    }
    if "exact" in only:
        exact(base, queries, truth, about)
    if "graph" in only:
        graphs(base, queries, truth, about)


if __name__ == "__main__":
    main()
