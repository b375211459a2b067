"""Search within a filter, against other libraries: recall and processor time on real sentence vectors.

python -m benchmarks.engine_filters [--count N]     # needs the extras fast and bench

A filter passes 10 %, 1 % or 0.1 % of the items: drawn at random, or those nearest to one item, as a rare topic would.
Each system is given the filter in its own form, made beforehand. Else as `benchmarks.engine`.
"""

from __future__ import annotations

import argparse
import functools
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
from threadpoolctl import threadpool_limits

from benchmarks.common import command, write
from benchmarks.vectors import load
from similia.evaluate.speed import System, compare
from similia.evaluate.speed.systems import EFFORTS
from similia.index import Engine, Selection
from similia.types import Bool, Float32, Int64

K = 10
ASKED = 400  # half to choose settings, half to time
TARGET = 0.98
SHARES = (0.1, 0.01, 0.001)
ROUNDS = 3
Filtered = Callable[[Bool], System]


def filters(base: Float32) -> dict[str, Bool]:
    """Name -> which items pass."""
    rng = np.random.default_rng(0)
    nearness = base @ base[int(rng.integers(len(base)))]
    found: dict[str, Bool] = {}
    for share in SHARES:
        found[f"{share:.1%} at random"] = rng.random(len(base)) < share
        found[f"{share:.1%} of one topic"] = nearness > np.quantile(nearness, 1 - share)
    return found


def ours(base: Float32) -> Filtered:
    """Our engine, which plans for itself."""
    engine = Engine(base)
    engine.tune(graph=True)

    def filtered(passing: Bool) -> System:
        chosen = Selection(passing)
        print("similia:", engine.explain(K, queries=ASKED // 2, where=chosen, recall=0.99), flush=True)

        def search(queries: Float32, k: int, effort: int) -> Int64:
            return engine.search(queries, k, where=chosen, recall=0.99).ids

        return System("similia engine", search, (0,), 0)

    return filtered


def gathered(base: Float32) -> Filtered:
    """NumPy: the vectors that pass are gathered, one product for all queries."""

    def filtered(passing: Bool) -> System:
        def search(queries: Float32, k: int, effort: int) -> Int64:
            rows = np.flatnonzero(passing)
            scores = queries @ base[rows].T
            near = np.argpartition(scores, -min(k, len(rows)), axis=1)[:, -k:]
            return rows[np.take_along_axis(near, np.argsort(-np.take_along_axis(scores, near, axis=1), axis=1), axis=1)]

        return System("NumPy: gather and BLAS", search, (0,), 0)

    return filtered


def faiss_hnsw(base: Float32) -> Filtered:
    """HNSW of faiss with a bitmap."""
    import faiss

    faiss.omp_set_num_threads(1)
    index = faiss.IndexHNSWFlat(base.shape[1], 16, faiss.METRIC_INNER_PRODUCT)
    index.hnsw.efConstruction = 200
    index.add(base)

    def filtered(passing: Bool) -> System:
        bits = np.packbits(passing, bitorder="little")
        selector = faiss.IDSelectorBitmap(bits)

        def search(queries: Float32, k: int, effort: int) -> Int64:
            wanted = faiss.SearchParametersHNSW(sel=selector, efSearch=max(effort, k))
            return np.asarray(index.search(queries, k, params=wanted)[1], np.int64)

        return System("faiss HNSW, bitmap", search, EFFORTS, 0)

    return filtered


def faiss_ivf(base: Float32) -> Filtered:
    """Inverted lists of faiss with a bitmap."""
    import faiss

    faiss.omp_set_num_threads(1)
    index = faiss.index_factory(base.shape[1], "IVF1024,Flat", faiss.METRIC_INNER_PRODUCT)
    index.train(base[:50_000])
    index.add(base)

    def filtered(passing: Bool) -> System:
        bits = np.packbits(passing, bitorder="little")
        selector = faiss.IDSelectorBitmap(bits)

        def search(queries: Float32, k: int, effort: int) -> Int64:
            wanted = faiss.SearchParametersIVF(sel=selector, nprobe=effort)
            return np.asarray(index.search(queries, k, params=wanted)[1], np.int64)

        return System("faiss IVF, bitmap", search, (8, 16, 32, 64, 128, 256, 512, 1024), 0)

    return filtered


def faiss_flat(base: Float32) -> Filtered:
    """Exact search of faiss with a list of ids."""
    import faiss

    faiss.omp_set_num_threads(1)
    index = faiss.IndexFlatIP(base.shape[1])
    index.add(base)

    def filtered(passing: Bool) -> System:
        rows = np.flatnonzero(passing)
        selector = faiss.IDSelectorArray(rows)

        def search(queries: Float32, k: int, effort: int) -> Int64:
            return np.asarray(index.search(queries, k, params=faiss.SearchParameters(sel=selector))[1], np.int64)

        return System("faiss Flat, ids", search, (0,), 0)

    return filtered


def hnswlib_callback(base: Float32) -> Filtered:
    """Hnswlib, which asks a Python function for every item that it meets."""
    import hnswlib

    index = hnswlib.Index("ip", base.shape[1])
    index.init_index(max_elements=len(base), ef_construction=200, M=16, random_seed=1)
    index.set_num_threads(1)
    index.add_items(base, num_threads=1)

    def filtered(passing: Bool) -> System:
        wanted = passing.tolist()

        def search(queries: Float32, k: int, effort: int) -> Int64:
            index.set_ef(max(effort, k))
            try:
                found = index.knn_query(queries, k, num_threads=1, filter=wanted.__getitem__)[0]
            except RuntimeError:  # it found fewer than k
                return np.full((len(queries), k), -1, np.int64)
            return np.asarray(found, np.int64)

        return System("hnswlib, callback", search, (10, 40, 160, 640), 0)

    return filtered


MAKERS: Mapping[str, Callable[[Float32], Filtered]] = {
    "ours": ours,
    "numpy": gathered,
    "faiss flat": faiss_flat,
    "faiss ivf": faiss_ivf,
    "faiss hnsw": faiss_hnsw,
    "hnswlib": hnswlib_callback,
}


def measure(count: int | None) -> None:
    """Measure on the first ``count`` vectors."""
    vectors = load()
    base = np.ascontiguousarray(vectors.base[:count])
    asked = vectors.inside[:ASKED]
    systems: dict[str, Filtered] = {}
    for name, maker in MAKERS.items():
        systems[name] = maker(base)
        print(f"{name}: built", flush=True)
    rows: list[dict[str, Any]] = []
    for name, passing in filters(base).items():
        exact = gathered(base)(passing)
        truth: npt.NDArray[np.int64] = exact.search(asked, K, 0)
        made = [filtered(passing) for filtered in systems.values()]
        told = functools.partial(print, flush=True)
        found = compare(made, {"": asked}, {"": truth}, count=len(base), targets=(TARGET,), rounds=ROUNDS, told=told)
        for row in found.rows():
            value, reached, ratio = (row[f"{what} at {TARGET}"] for what in ("µs", "recall", "ratio"))
            shown = "not reached" if value is None else f"{value:,.0f} ({reached:.3f}, {ratio:.1f})"
            known = next((one for one in rows if one["system"] == row["system"]), None)
            if known is None:
                rows.append(known := {"system": row["system"]})
            known[name] = shown
    write(
        "engine_filters",
        "Search within a filter",
        command("engine_filters"),
        rows,
        f"{len(base):,} of {vectors.about}. Processor microseconds a query (recall@10, times ours) at the cheapest "
        f"setting with a recall of {TARGET}; {ASKED // 2} queries like the items in one call, one thread.",
    )


def main() -> None:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, help="only so many vectors")
    with threadpool_limits(1):
        measure(parser.parse_args().count)


if __name__ == "__main__":
    main()
