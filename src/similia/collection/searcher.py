"""Searching one table of vectors: by what is there already, while better is brought up beside.

Whoever opens a collection to ask one thing compares every vector and is done. A process that asks again and again gets
codes to scan and, where an index was built, its graph: both are made ready in a thread that nobody waits for.
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from similia.errors import InputError, SimiliaError
from similia.index import Engine, Plan, Selection, kernels
from similia.index.engine import FORMAT
from similia.index.files import Column, Mapped, open_verified, write
from similia.types import Float32, Hits, Int64

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

    def stamp(self) -> tuple[int, int] | None:
        """What tells the file from one that took its place; None where there is none."""
        try:
            status = os.stat(self.path)  # noqa: PTH116 - at every search, and half as dear as Path.stat
        except OSError:
            return None
        return status.st_ino, status.st_mtime_ns

    def open(self) -> Mapped | None:
        """The file, where it is whole and an index of this sense, of this table or of an earlier one."""
        file = open_verified(self.path)
        if file is None or file.header.get("similia") != "index" or file.header.get("format") != FORMAT:
            return None
        version = file.header.get("version")
        if not isinstance(version, int) or version > self.header["version"]:
            return None
        return file if all(file.header.get(n) == v for n, v in self.header.items() if n != "version") else None

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
        self._coded = self._busy = False
        self._seen: tuple[int, int] | None = None  # the file that was taken up, or looked at in vain
        self._asked, self._lock = 0, threading.Lock()

    def plan(self, k: int, where: Selection | None = None, recall: float | None = None, *, queries: int = 1) -> Plan:
        """How a search would be done now."""
        engine, coded = self.engine, self._coded
        if engine.costs is not None:
            wanted = self.recall if recall is None else recall
            return engine.explain(k, queries=queries, where=where, recall=wanted)
        return engine.explain(k, queries=queries, where=where, way="scan" if coded else "exact")

    def search(self, queries: Float32, k: int, where: Selection | None, recall: float | None = None) -> Hits:
        """The k items of the highest cosine to each query; ties by id.

        Args:
            queries: (q, d).
            k: places.
            where: the rows that take part.
            recall: the share of the true k that is to be expected; that of the index where None, 1 for all of them.
        """
        self._count(len(queries))
        engine, plan = self.engine, self.plan(k, where, recall, queries=len(queries))
        return engine.search(queries, k, where=where, way=plan.way, beam=plan.beam)

    def _count(self, queries: int) -> None:
        """Count searches, and have made ready beside what pays from here on."""
        if len(self.engine) < SCANNED or not kernels.usable():
            return
        stamp = None if self.kept is None else self.kept.stamp()
        task: Callable[[], object]
        with self._lock:
            self._asked += queries
            if self._busy or self._asked < SOON:
                return
            if stamp is None and self._seen is not None:  # it was dropped
                self._seen, self.engine, self._coded, self._asked = None, self._plain(), False, SOON
                return
            if stamp != self._seen:
                self._busy, task = True, self.take_up
            elif self._asked >= WARM and not self._coded:
                self._busy, task = True, self.take_codes
            else:
                return
        # Nobody waits for it, and a process that ends meanwhile loses nothing: files take their place whole.
        threading.Thread(target=self._run, args=(task,), name="similia-index", daemon=True).start()

    def _run(self, task: Callable[[], object]) -> None:
        # What cannot be done costs speed and nothing else: the folder is full, or the collection was closed.
        with contextlib.suppress(SimiliaError, OSError):
            task()
        self._busy = False

    def _plain(self) -> Engine:
        exact = self.engine.exact
        return Engine(exact.vectors, exact.ids, lengths=exact.lengths)

    def take_codes(self) -> None:
        """Make codes, to be scanned from now on."""
        self.replace(self._plain(), self.recall)

    def take_up(self) -> bool:
        """Take up the index that is kept, brought up to date where it is of an earlier table; False if there is none.

        Raises:
            OSError: it was brought up to date, and cannot be written.
        """
        if self.kept is None:
            return False
        self._seen, file = self.kept.stamp(), self.kept.open()
        if file is None:
            return False
        found = _up_to_date(self.kept, self.engine, file)
        self.replace(found, file.header.get("recall", RECALL))
        if file.header["version"] != self.kept.header["version"]:
            self.kept.write(found, said(file.header))
            self._seen = self.kept.stamp()
        return True

    def replace(self, engine: Engine, recall: float) -> None:
        """Search with another engine over the same rows from now on, once its codes are made and all is compiled."""
        self._ready(engine)
        with self._lock:
            self.engine, self.recall, self._coded = engine, recall, kernels.usable()

    @staticmethod
    def _ready(engine: Engine) -> None:
        """Make codes and compile, so that no search waits for it."""
        one = np.asarray(engine.exact.vectors[:1], np.float32)
        for way in engine.ways:
            engine.search(one, 1, way=way)


def check_compiled() -> None:
    """Refuse to build an index where there is no compiled code to build and search it with.

    Raises:
        InputError: Numba is not there, or switched off.
    """
    if not kernels.usable():
        raise InputError("an index needs Numba: pip install 'similia[fast]'; without it every vector is compared")


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
