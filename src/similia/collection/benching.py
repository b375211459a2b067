"""An index of a collection's vectors against the search libraries that are installed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from similia.collection.searcher import check_compiled
from similia.collection.vectors import normalised
from similia.errors import InputError
from similia.evaluate.speed import Comparison, compare
from similia.evaluate.speed.building import build
from similia.evaluate.speed.peers import GRAPHS
from similia.evaluate.speed.systems import GRAPH, SCAN
from similia.index import ScanIndex
from similia.types import Float32

K = 10
LEAST = 100
TAKEN = 800
"""Items that are taken out as queries where none are given and there is no encoder; at most one in ten."""


def bench(
    vectors: npt.NDArray[Any],
    queries: Float32 | None,
    *,
    limit: int | None,
    rounds: int,
    curve: bool,
    told: Callable[[str], object],
) -> Comparison:
    """See `similia.collection.Indexes.bench`; vectors (n, d) as stored."""
    check_compiled()
    rng = np.random.default_rng(0)
    if limit is not None and limit < len(vectors):
        vectors = vectors[np.sort(rng.choice(len(vectors), limit, replace=False))]
    if len(vectors) < LEAST:
        raise InputError(f"there are {len(vectors):,} vectors; at least {LEAST} are needed to measure anything")
    base = normalised(vectors)
    if queries is None:
        away = rng.choice(len(base), min(TAKEN, len(base) // 10), replace=False)
        queries, base = base[away], np.delete(base, away, axis=0)
    asked = normalised(queries)
    if len(asked) < 4:
        raise InputError(f"{len(asked)} queries are too few to measure with; at least 4 are needed")
    truth = ScanIndex(base).search(asked, K).ids
    systems, seconds = build([GRAPH, SCAN, *GRAPHS], base, told=told)
    found = compare(systems, {"": asked}, {"": truth}, count=len(base), k=K, rounds=rounds, curve=curve, told=told)
    return replace(found, seconds=seconds)
