"""Searching one table of vectors: by what is there already, while better is brought up beside.

Whoever opens a collection to ask one thing compares every vector and is done. A process that asks again and again gets
codes to scan and, where an index was built, its graph: both are made ready in a thread that nobody waits for.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from similia.errors import SimiliaError
from similia.index import Engine, Plan, kernels
from similia.index.files import Column, Mapped, open_verified, write
from similia.types import Bool, Float32, Hits, Int64

SCANNED = 50_000
"""From so many rows on codes are made for a scan, if compiled code is there and they are searched often enough."""
WARM = 64
"""Searches of the same rows that it takes: about as long, together, as making the codes."""
SOON = 3
"""Searches that it takes where an index was built."""
RECALL = 0.95
"""What share of the nearest items a graph is to find where nobody says."""


@dataclass(frozen=True)
class Kept:
    """The file in which the index of a sense is kept.

    Attributes:
        path: where it is, or will be.
        header: what it must have been made from to be of use as it is; ``version`` is that of the table of vectors.
        changed: version -> ids of the items that have other vectors since, or none; None where nobody knows.
    """

    path: Path
    header: Mapping[str, Any]
    changed: Callable[[int], Int64 | None]

    def open(self) -> Mapped | None:
        """The file, where it is whole and an index of this sense; perhaps of an earlier version."""
        file = open_verified(self.path)
        if file is None or file.header.get("similia") != "index":
            return None
        same = all(file.header.get(name) == value for name, value in self.header.items() if name != "version")
        return file if same else None

    def write(self, engine: Engine, said: Mapping[str, Any]) -> None:
        """Keep an engine over the present table; ``said`` is what else its header is to tell.

        Raises:
            OSError: the folder cannot be written.
        """
        columns = {name: Column.of(array) for name, array in engine.arrays().items()}
        columns["ids"] = Column.of(engine.exact.ids)
        write(self.path, {**engine.settings(), **said, **self.header}, columns)


class Searcher:
    """Searches rows by cosine. Threads share it.

    Args:
        vectors: float32 or float16 (n, d).
        ids: int64 (n,), rising.
        lengths: float64 (n,), those of the vectors, where they are known.
        kept: where an index of them may be.

    Attributes:
        engine: what searches now; another one takes its place when more is ready.
        recall: the target that the index was built for.
    """

    def __init__(
        self,
        vectors: npt.NDArray[Any],
        ids: Int64,
        lengths: npt.NDArray[np.float64] | None = None,
        kept: Kept | None = None,
    ) -> None:
        self.engine = Engine(vectors, ids, lengths=lengths)
        self.kept = kept
        self.recall = RECALL
        self._coded = self._indexed = False
        self._asked, self._lock = 0, threading.Lock()

    def plan(self, k: int, where: Bool | None = None, recall: float | None = None) -> Plan:
        """How a search would be done now."""
        engine, coded = self.engine, self._coded
        if engine.costs is not None:
            return engine.explain(k, where=where, recall=self.recall if recall is None else recall)
        return engine.explain(k, where=where, way="scan" if coded else "exact")

    def search(self, query: Float32, k: int, where: Bool | None, recall: float | None = None) -> Hits:
        """The k items of the highest cosine to one query; ties by id.

        Args:
            query: (1, d) or (d,).
            k: places.
            where: bool (n,), the rows that take part.
            recall: the share of the true k that is to be expected; that of the index where None, 1 for all of them.
        """
        self._count()
        engine, plan = self.engine, self.plan(k, where, recall)
        return engine.search(query, k, where=where, way=plan.way, beam=plan.beam)

    def _count(self) -> None:
        """Count a search, and have made ready beside what pays from here on."""
        if len(self.engine) < SCANNED:
            return
        with self._lock:
            self._asked += 1
            asked = self._asked
        if asked == SOON and self.kept is not None and self.kept.path.exists() and kernels.usable():
            self._beside(self.take_up)
        elif asked == WARM and not self._indexed and kernels.usable():
            self._beside(self._make_codes)

    def _beside(self, task: Callable[[], object]) -> None:
        def run() -> None:
            # What cannot be done costs speed and nothing else: the folder is full, or the collection was closed.
            with contextlib.suppress(SimiliaError, OSError):
                task()

        # Nobody waits for it, and a process that ends meanwhile loses nothing: files take their place whole.
        threading.Thread(target=run, name="similia-index", daemon=True).start()

    def _make_codes(self) -> None:
        made = Engine(self.engine.exact.vectors, self.engine.exact.ids, lengths=self.engine.exact.lengths)
        self._ready(made)
        with self._lock:
            if self.engine.costs is None:
                self.engine, self._coded = made, True

    def take_up(self) -> bool:
        """Take up the index that is kept, brought up to date where it is of an earlier table; False if there is none.

        Raises:
            OSError: it was brought up to date, and cannot be written.
        """
        self._indexed = True
        file = None if self.kept is None else self.kept.open()
        if file is None:
            return False
        assert self.kept is not None
        found = _up_to_date(self.kept, self.engine, file)
        self._ready(found)
        self.replace(found, file.header.get("recall", RECALL))
        if file.header["version"] != self.kept.header["version"]:
            self.kept.write(found, said(file.header))
        return True

    def replace(self, engine: Engine, recall: float) -> None:
        """Search with another engine, over the same rows, from now on."""
        with self._lock:
            self.engine, self.recall, self._coded, self._indexed = engine, recall, kernels.usable(), True

    @staticmethod
    def _ready(engine: Engine) -> None:
        """Make codes and compile, so that no search waits for it."""
        one = np.asarray(engine.exact.vectors[:1], np.float32)
        for way in engine.ways:
            engine.search(one, 1, way=way)


def said(header: Mapping[str, Any]) -> dict[str, Any]:
    """What the header of a kept index tells beside what it was made from."""
    return {name: header[name] for name in ("recall", "advice", "asked") if name in header}


def _up_to_date(kept: Kept, engine: Engine, file: Mapped) -> Engine:
    """The engine of a file over the rows of ``engine``."""
    exact, version = engine.exact, file.header["version"]
    were: Int64 = np.asarray(file.arrays["ids"])
    if version == kept.header["version"]:
        return Engine.from_arrays(exact.vectors, exact.ids, file.arrays, file.header, lengths=exact.lengths)
    changed = kept.changed(version)
    if changed is None:
        return Engine(exact.vectors, exact.ids, lengths=exact.lengths).tune(graph="graph" in file.header)
    return Engine.from_arrays(
        exact.vectors, exact.ids, file.arrays, file.header, lengths=exact.lengths, were=were, changed=changed
    )
