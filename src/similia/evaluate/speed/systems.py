"""What is compared: a system that searches, and how it is built; ours among them."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from similia.types import Float32, Int64

if TYPE_CHECKING:
    from similia.index import GraphIndex, ScanIndex

Search: TypeAlias = Callable[[Float32, int, int], Int64]
EFFORTS = (10, 12, 16, 20, 24, 32, 40, 48, 64, 80, 96, 128, 160, 192, 256, 320, 400, 512, 640, 800, 1024, 1400, 2000)


@dataclass(frozen=True)
class System:
    """Something that searches.

    Attributes:
        name: for people.
        search: ``search(queries, k, effort)`` gives ids int64 (q, k), positions of the vectors it was built of.
        efforts: what can be given as effort, in rising order of cost; a single one where it is exact.
        memory: bytes that a search may touch: codes, links, and the vectors if it reads them from memory.
    """

    name: str
    search: Search
    efforts: Sequence[int]
    memory: int


@dataclass(frozen=True)
class Maker:
    """How to build a system of vectors (n, d) that all have length 1.

    Attributes:
        name: for people.
        needs: the module that it takes.
        make: builds it.
        ready: done once before, and not counted: compiling, where that happens on the first use.
    """

    name: str
    needs: str
    make: Callable[[Float32], System]
    ready: Callable[[], object] = lambda: None

    @property
    def there(self) -> bool:
        """Whether what it needs is installed."""
        return importlib.util.find_spec(self.needs) is not None


def graph_system(index: GraphIndex, name: str = "similia graph") -> System:
    """A graph of ours whose ids are positions."""
    return System(name, lambda queries, k, effort: index.search(queries, k, beam=effort).ids, EFFORTS, index.nbytes)


def scan_system(index: ScanIndex, name: str = "similia scan (exact)") -> System:
    """A scan of ours whose ids are positions."""
    memory = index.nbytes + index.exact.vectors.nbytes
    return System(name, lambda queries, k, effort: index.search(queries, k, threads=1).ids, (0,), memory)


def _graph(base: Float32) -> System:
    from similia.index import GraphIndex

    return graph_system(GraphIndex(base))


def _scan(base: Float32) -> System:
    from similia.index import ScanIndex

    return scan_system(ScanIndex(base))


def _compile() -> None:
    some = np.random.default_rng(0).normal(size=(8_192, 64)).astype(np.float32)
    for system in (_graph(some), _scan(some)):
        for queries in (some[:1], some[:300]):
            system.search(queries, 10, system.efforts[-1])


GRAPH = Maker("similia graph", "numba", _graph, _compile)
SCAN = Maker("similia scan (exact)", "numba", _scan, _compile)
