"""The engine against other libraries: recall and processor time on real sentence vectors.

python -m benchmarks.engine [--count N] [--only graph exact threads] [--wide]  # needs the extras fast, bench, plot

Every system runs on one thread in one process, by turns, in an order drawn anew for every round. The setting of each is
the cheapest that reaches a recall@10 of .95 (and .99) on 1,000 queries; the time is that of 1,000 others.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from benchmarks.common import IMAGES, RESULTS, command, write
from benchmarks.vectors import load, load_wide
from similia.evaluate.speed import System, compare, plot
from similia.evaluate.speed.building import build
from similia.evaluate.speed.peers import EXACT, GRAPHS, blas
from similia.evaluate.speed.systems import GRAPH, SCAN
from similia.measure import neighbour_recall
from similia.types import Float32, Int64

K = 10
ROUNDS = 5
PARTS = ["graph", "exact", "threads"]
SINGLES = 200


def say(text: str) -> None:
    """Progress."""
    print(text, flush=True)


def graphs(base: Float32, queries: dict[str, Float32], truth: dict[str, Int64], about: str, name: str) -> None:
    """Graphs and partitions at equal recall."""
    systems, seconds = build([GRAPH, SCAN, *GRAPHS], base, told=say)
    found = compare(systems, queries, truth, count=len(base), rounds=ROUNDS, curve=True, told=say)
    found = replace(found, seconds=seconds)
    for folder in (RESULTS, IMAGES):
        plot(found, folder / f"{name}.svg")
    chosen = {system.name: system.reached.get(("in", 0.95)) for system in found.systems}
    singles = one_by_one(
        [(system, point.effort) for system in systems if (point := chosen[system.name]) is not None],
        queries["in"][-SINGLES:],
    )
    rows = []
    for system in found.systems:
        row: dict[str, Any] = {
            "system": system.name,
            "build, CPU s": seconds[system.name],
            "memory, MiB": system.memory / 2**20,
        }
        for kind in found.kinds:
            for target in found.targets:
                point = system.reached.get((kind, target))
                said = "not reached" if point is None else f"{point.microseconds:.0f} ({point.recall:.3f})"
                row[f"{target:.2f} {kind}"] = said
        row["single, 0.95 in"] = singles.get(system.name, "")
        rows.append(row)
    wide = name.endswith("wide")
    write(
        name,
        "Search at equal recall" + (", more dimensions" if wide else ""),
        command("engine"),
        rows,
        f"{about}. Processor microseconds a query (recall@10 of the timed queries), one thread, batches of "
        f"{len(queries['in']) // 2:,}; 'in' queries are texts like the items, 'out' are words and short phrases. "
        "Last: one query a call.",
    )


def one_by_one(systems: Sequence[tuple[System, int]], queries: Float32) -> dict[str, float]:
    """Processor microseconds of a query that is asked alone, by turns; the median."""
    spent: dict[str, list[float]] = {}
    for turn in range(ROUNDS):
        for number in np.random.default_rng(turn).permutation(len(systems)):
            system, effort = systems[int(number)]
            started = time.process_time()
            for place in range(len(queries)):
                system.search(queries[place : place + 1], K, effort)
            spent.setdefault(system.name, []).append((time.process_time() - started) / len(queries) * 1e6)
    return {name: float(np.median(times)) for name, times in spent.items()}


def threads(base: Float32, queries: dict[str, Float32], truth: dict[str, Int64], about: str) -> None:
    """One caller against two at once, in wall time: what a server sees."""
    systems, _ = build([GRAPH, SCAN, *GRAPHS], base, told=say)
    asked = queries["in"]
    half = len(asked) // 2
    efforts = {}
    for system in systems:
        reached = (
            e for e in system.efforts if neighbour_recall(system.search(asked[:half], K, e), truth["in"][:half]) >= 0.95
        )
        if (effort := next(reached, None)) is not None:
            efforts[system.name] = effort
    spent: dict[tuple[str, int], list[float]] = {}
    jobs = [(system, callers) for system in systems if system.name in efforts for callers in (1, 2)]
    with ThreadPoolExecutor(2) as pool:
        for turn in range(ROUNDS):
            for number in np.random.default_rng(turn).permutation(len(jobs)):
                system, callers = jobs[int(number)]
                parts = np.array_split(asked[half:], callers)
                started = time.perf_counter()
                list(pool.map(lambda part: system.search(part, K, efforts[system.name]), parts))  # noqa: B023
                wall = (time.perf_counter() - started) / (len(asked) - half) * 1e6
                spent.setdefault((system.name, callers), []).append(wall)
    rows = [
        {
            "system": name,
            "one caller, µs": min(spent[name, 1]),
            "two callers, µs": min(spent[name, 2]),
            "speed-up": min(spent[name, 1]) / min(spent[name, 2]),
        }
        for name in efforts
    ]
    write(
        "engine_threads",
        "One caller and two at once",
        command("engine"),
        rows,
        f"{about}. Wall microseconds a query at recall .95 on queries like the items, the least of {ROUNDS} rounds: "
        "batches are searched by one thread, or half by each of two.",
    )


def exact(base: Float32, queries: dict[str, Float32], truth: dict[str, Int64], about: str) -> None:
    """Exact search of a batch."""
    systems, seconds = build([SCAN, *EXACT], base, told=say)
    for system in systems:
        system.search(queries["in"][:64], K, 0)  # compiles
    twice = {"": np.concatenate([queries["in"], queries["in"]])}  # the second half is timed, whole
    answers = {"": np.concatenate([truth["in"], truth["in"]])}
    found = compare(systems, twice, answers, count=len(base), targets=(0.95,), rounds=ROUNDS, told=say)
    rows = [
        {
            "system": row["system"],
            "build, CPU s": seconds[row["system"]],
            "CPU µs a query": row["µs at 0.95"],
            "ratio to ours": row["ratio at 0.95"],
            "recall": row["recall at 0.95"],
        }
        for row in found.rows()
    ]
    write(
        "engine_exact",
        "Exact search of a batch",
        command("engine"),
        rows,
        f"{about}; {len(queries['in']):,} queries in a batch, one thread.",
    )


def main() -> None:
    """Run what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, help="only so many vectors")
    parser.add_argument("--only", nargs="+", choices=PARTS, default=PARTS)
    parser.add_argument("--wide", action="store_true", help="vectors of 1,024 dimensions; the part graph alone")
    arguments = parser.parse_args()
    with threadpool_limits(1):
        measure(arguments.count, ["graph"] if arguments.wide else arguments.only, wide=arguments.wide)


def measure(count: int | None, only: Sequence[str], *, wide: bool) -> None:
    """Measure on the first ``count`` vectors."""
    vectors = load_wide() if wide else load()
    base = np.ascontiguousarray(vectors.base[:count])
    about = vectors.about if count is None else f"{len(base):,} of {vectors.about}"
    queries = {"in": vectors.inside, "out": vectors.outside}
    reference = blas(base)
    truth = {kind: reference.search(asked, K, 0) for kind, asked in queries.items()}
    if "exact" in only:
        exact(base, queries, truth, about)
    if "graph" in only:
        graphs(base, queries, truth, about, "engine_wide" if wide else "engine")
    if "threads" in only:
        threads(base, queries, truth, about)


if __name__ == "__main__":
    main()
