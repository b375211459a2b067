"""Add: read the input once to know that it is good, then again to store it, batch by batch.

The texts of a batch are encoded outside any transaction; one short transaction then writes its items, their full text,
their vectors in every sense, and how far the work is. Killed between two batches, the same command goes on after the
last one.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np

from similia.collection.definition import GIVEN, TOPIC
from similia.collection.making import BATCH, CHARACTERS, READ, Maker, rounding_loss
from similia.collection.planning import KEY, Plan, Request, arguments, choose_key, plan, resume_key
from similia.collection.reports import AddReport
from similia.collection.senses import refresh
from similia.collection.sources import Scan, Source, open_source, render
from similia.collection.store import Change
from similia.collection.workspace import Workspace
from similia.errors import DuplicateKey, InputError
from similia.progress import bar
from similia.types import Float32

BATCH_GIVEN = 4_096
LOOKUP = 10_000


def add(
    space: Workspace,
    source: object,
    request: Request,
    *,
    schema: Mapping[str, str] | None = None,
    format: str | None = None,
    encoding: str | None = None,
    on_error: Literal["raise", "skip"] = "raise",
) -> AddReport:
    """See `similia.collection.Collection.add`."""
    started = time.perf_counter()
    types = dict(schema or {})
    if request.vectors is not None:
        types.setdefault(request.vectors, "vector")
    named = request.text_names()
    with open_source(source, schema=types, format=format, text=named, encoding=encoding, on_error=on_error) as opened:
        with bar("reading", unit="rows", show=request.progress) as progress:
            scan = opened.scan(key=request.key, progress=progress)
        key = choose_key(space, request, scan)
        said = arguments(opened, request, key)
        same = resume_key(scan, said, types, format, encoding)
        with space.store.change("add", said, resume_key=same) as change:
            try:
                report = _Adding(space, request, opened, scan, plan(space, request, opened, scan, key), change).run()
            except InputError:
                change.abandon()
                raise
    refresh(space)
    with space.reading() as state:
        fields = dict(state.fields)
    return replace(report, seconds=time.perf_counter() - started, fields=fields)


@dataclass
class _Counts:
    """How far an add is; kept with every batch."""

    rows: int = 0
    added: int = 0
    replaced: int = 0
    skipped: int = 0
    loss: dict[str, float] = field(default_factory=dict)


class _Adding:
    """One run of an add, inside its change."""

    def __init__(
        self, space: Workspace, request: Request, opened: Source, scan: Scan, plan: Plan, change: Change
    ) -> None:
        self.request, self.opened, self.scan, self.plan, self.change = request, opened, scan, plan, change
        self.store = space.store
        self.makers = plan.makers
        self.topic = plan.topic
        self.counts = _Counts(**change.progress) if change.resumed else _Counts()

    def run(self) -> AddReport:
        """Store what is not stored yet."""
        given = all(maker.field is not None for maker in self.makers)
        size = self.request.batch_size or (BATCH_GIVEN if given else BATCH)
        if self.request.on_duplicate == "error" and self.plan.key is not None:
            self._refuse_duplicates()
        with bar("adding", self.scan.rows, show=self.request.progress) as progress:
            progress.advance(self.counts.rows)
            for rows in bounded(self.opened.batches(min(size, READ), skip=self.counts.rows), size):
                self._batch(rows)
                progress.advance(len(rows))
        counts = self.counts
        return AddReport(
            added=counts.added,
            replaced=counts.replaced,
            skipped=counts.skipped,
            rows=counts.rows,
            seconds=0.0,
            fields={},
            key=self.plan.key,
            resumed=self.change.resumed,
            change=self.change.number,
            loss=counts.loss,
            notes=self.scan.notes,
        )

    def _refuse_duplicates(self) -> None:
        """Find a key that is there already before anything is written.

        Raises:
            DuplicateKey: there is one; names how many and the first.
        """
        if self.store.count() == 0:
            return
        found, first, row = 0, "", self.counts.rows
        for rows in bounded(self.opened.batches(READ, skip=row), LOOKUP):
            keys = self._keys(rows, row)
            row += len(rows)
            there = np.flatnonzero(self.store.ids(keys) >= 0).tolist()
            if there and not found:
                first = keys[there[0]]
            found += len(there)
        if found:
            others = f" and {found - 1:,} more" if found > 1 else ""
            raise DuplicateKey(
                f"item {first!r:.80}{others} of {self.opened.name} {'are' if found > 1 else 'is'} in the collection "
                "already, so nothing was added: skip them or replace them (--on-duplicate skip|replace)"
            )

    def _keys(self, rows: Sequence[Mapping[str, Any]], before: int) -> list[str]:
        keys = []
        for place, row in enumerate(rows):
            value = row.get(self.plan.key or KEY)
            if value is None or value == "":
                raise InputError(
                    f"{self.opened.name}: row {before + place + 1:,} has no value in {self.plan.key!r}, its key"
                )
            keys.append(render(value))
        return keys

    def _batch(self, rows: list[dict[str, Any]]) -> None:
        """Encode and store one batch."""
        before = self.counts
        counts = replace(before, rows=before.rows + len(rows), loss=dict(before.loss))
        keys = None
        names = [f"row {before.rows + place + 1:,}" for place in range(len(rows))]
        if self.plan.key is not None:
            keys = names = self._keys(rows, before.rows)
            kept = self._chosen(keys)
            dropped = len(rows) - len(kept)
            if self.request.on_duplicate == "replace":
                counts.replaced += dropped
            else:
                counts.skipped += dropped
            keys = names = [keys[place] for place in kept]
            rows = [rows[place] for place in kept]
        if rows:
            vectors = {maker.sense: self._vectors(maker, keys, names, rows) for maker in self.makers}
            self._store(keys, rows, vectors, counts)
        self.counts = counts

    def _chosen(self, keys: Sequence[str]) -> list[int]:
        """Which rows are to be written: with "skip" the first of a new key, with "replace" the last of any."""
        if self.request.on_duplicate == "skip":
            new = self.store.ids(keys) < 0
            first = {key: place for place, key in reversed(list(enumerate(keys)))}
            return [place for place, key in enumerate(keys) if new[place] and first[key] == place]
        if self.request.on_duplicate == "replace":
            return sorted({key: place for place, key in enumerate(keys)}.values())
        return list(range(len(keys)))

    def _store(
        self,
        keys: Sequence[str] | None,
        rows: Sequence[Mapping[str, Any]],
        vectors: Mapping[str, Float32],
        counts: _Counts,
    ) -> None:
        """Write one batch, in one transaction."""
        for maker in self.makers:
            if maker.precision == "float16":
                loss = rounding_loss(vectors[maker.sense])
                counts.loss[maker.sense] = max(counts.loss.get(maker.sense, 0.0), loss)
        records = [self._record(row) for row in rows]
        change = self.change
        with change.transaction():
            change.set_fields(self.plan.types)
            if self.topic is not None:
                self._create(vectors[TOPIC], counts.loss.get(TOPIC))
            result = change.put(
                change.next_keys(len(rows)) if keys is None else keys,
                records,
                vectors=vectors,
                on_duplicate=self.request.on_duplicate,
            )
            counts.added, counts.replaced = counts.added + result.added, counts.replaced + result.replaced
            counts.skipped += result.skipped
            change.set_progress(vars(counts))
        self.topic = None

    def _record(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """What is stored of a row: without the key's own field and the vectors that go to a sense."""
        record = {name: value for name, value in row.items() if name != KEY and name not in self.plan.taken}
        for name in self.plan.rendered:
            if record.get(name) is not None:
                record[name] = render(record[name])
        return record

    def _create(self, vectors: Float32, loss: float | None) -> None:
        assert self.topic is not None
        maker = self.makers[0]
        self.change.create_sense(
            TOPIC,
            replace(self.topic, loss=loss).stored(),
            fingerprint=GIVEN if maker.encoder is None else maker.encoder.fingerprint,
            dimension=vectors.shape[1],
            precision=maker.precision,
        )
        self.makers = [replace(maker, dimension=vectors.shape[1])]

    def _vectors(
        self, maker: Maker, keys: Sequence[str] | None, names: Sequence[str], rows: Sequence[Mapping[str, Any]]
    ) -> Float32:
        """The vectors of a batch; those of items whose text in this sense did not change are taken from the store."""
        if maker.field is not None or keys is None or self.request.on_duplicate != "replace" or self.topic is not None:
            return maker.make(names, rows)
        ids = self.store.ids(keys)
        there = np.flatnonzero(ids >= 0)
        vectors = np.full((len(rows), maker.dimension), np.nan, np.float32)
        if there.size:
            old = maker.texts(self.store.records(ids[there]))
            new = maker.texts([rows[place] for place in there.tolist()])
            same = there[[one == other for one, other in zip(old, new, strict=True)]]
            vectors[same] = self.store.vectors_of(maker.sense, ids[same])
        fresh = np.flatnonzero(np.isnan(vectors).any(axis=1)).tolist()
        if fresh:
            vectors[fresh] = maker.make([names[place] for place in fresh], [rows[place] for place in fresh])
        return vectors


def bounded(batches: Iterable[list[dict[str, Any]]], rows: int) -> Iterator[list[dict[str, Any]]]:
    """Join small batches to ones of ``rows`` rows, or of fewer where texts are long.

    Examples:
        >>> [len(batch) for batch in bounded([[{}] * 2] * 3, 4)]
        [4, 2]
    """
    waiting: list[dict[str, Any]] = []
    characters = 0
    for batch in batches:
        waiting += batch
        characters += sum(len(value) for row in batch for value in row.values() if type(value) is str)
        if len(waiting) >= rows or characters > CHARACTERS:
            yield waiting
            waiting, characters = [], 0
    if waiting:
        yield waiting
