"""Processor time of ways that are compared, so that a busy machine is the same to all of them."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext

import numpy as np


def processor_time(ways: Mapping[str, Callable[[], object]], rounds: int = 5) -> dict[str, float]:
    """Processor seconds of each, the least of a few rounds in which they take turns."""
    least = dict.fromkeys(ways, np.inf)
    for _ in range(rounds):
        for name, way in ways.items():
            started = time.process_time()
            way()
            least[name] = min(least[name], time.process_time() - started)
    return least


def one_thread() -> AbstractContextManager[object]:
    """BLAS without threads, which take processor time for waiting; where it can be told so."""
    try:
        from threadpoolctl import threadpool_limits
    except ImportError:
        return nullcontext()
    limited: AbstractContextManager[object] = threadpool_limits(1)
    return limited
