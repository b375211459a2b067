"""What the verbs of a collection share: the store, its encoders and vectors, and one state to read from."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from similia.collection import upkeep
from similia.collection.definition import GIVEN, TOPIC, Definition
from similia.collection.naming import listed, nearest
from similia.collection.store import SenseRow, Store
from similia.collection.vectors import Allowed, Vectors
from similia.errors import FingerprintMismatch, InputError, ModelError, UnknownItem, UnknownSense
from similia.types import Int64

if TYPE_CHECKING:
    from similia.encode import Encoder
    from similia.index.where import Predicate

_LOOKED_AT = 50_000
_FILTERS = 8


@dataclass(eq=False)
class Workspace:
    """The store of an open collection, and what was loaded from it so far (guarded; threads share it)."""

    store: Store
    name: str
    wait: float
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _loading: threading.RLock = field(default_factory=threading.RLock)
    _vectors: dict[int, Vectors] = field(default_factory=dict)
    _encoders: dict[tuple[str, str | None], Encoder] = field(default_factory=dict)
    _bound: dict[str, Encoder] = field(default_factory=dict)
    _memory: dict[tuple[Any, ...], Any] = field(default_factory=dict)
    filters: dict[tuple[int, str], Allowed] = field(default_factory=dict)

    @property
    def folder(self) -> Path:
        """The folder of the collection."""
        return self.store.folder

    @contextlib.contextmanager
    def reading(self) -> Iterator[State]:
        """One state of the collection; every read inside the block sees it."""
        with self._lock:
            held = dict(self._vectors)
        with self.store.snapshot() as version:
            yield State(self, version, held)

    def vectors(self, row: SenseRow, version: int, held: dict[int, Vectors]) -> Vectors:
        """The vectors of a sense at the version of the snapshot that this thread is in."""
        with self._loading:
            known = self._vectors.get(row.id)
            if known is None or known.version > version:
                known = held.get(row.id)
            held[row.id] = state = upkeep.bring(self.store, row, version, known)
            with self._lock:
                if row.id not in self._vectors or self._vectors[row.id].version <= version:
                    self._vectors[row.id] = state
            return state

    def table(self, row: SenseRow, version: int, held: dict[int, Vectors]) -> Vectors:
        """The same with every row in the base, which is a file if the folder can be written."""
        with self._loading:
            held[row.id] = state = upkeep.fold(self.store, row, self.vectors(row, version, held))
            with self._lock:
                if self._vectors[row.id].version <= version:
                    self._vectors[row.id] = state
            return state

    def forget(self) -> None:
        """Let go of everything that was loaded."""
        with self._lock:
            self._vectors.clear()
            self._memory.clear()
            self.filters.clear()

    def keep(self, senses: set[int]) -> None:
        """Let go of the vectors of other senses than these."""
        with self._lock:
            self._vectors = {number: state for number, state in self._vectors.items() if number in senses}

    def keep_filter(self, key: tuple[int, str], allowed: Allowed) -> None:
        """Keep what passes a filter, as long as few others are kept: each may hold codes of what passes."""
        with self._lock:
            while len(self.filters) >= _FILTERS:
                self.filters.pop(next(iter(self.filters)))
            self.filters[key] = allowed

    def remembered(self, key: tuple[Any, ...]) -> Any:
        """What `remember` was given under ``key``, or None."""
        with self._lock:
            return self._memory.get(key)

    def remember(self, key: tuple[Any, ...], value: Any) -> None:
        """Keep a value for as long as few others are kept."""
        with self._lock:
            if len(self._memory) >= 32:
                self._memory.pop(next(iter(self._memory)))
            self._memory[key] = value

    def bind(self, encoder: Encoder) -> None:
        """Use this encoder object for senses that it made."""
        with self._lock:
            self._bound[encoder.fingerprint] = encoder

    def load_encoder(self, spec: str | Encoder, about: str | None = None) -> Encoder:
        """The encoder of a name, turned to an aspect where one is given; loaded once."""
        from similia.encode import load

        with self._loading:
            if not isinstance(spec, str):
                encoder = turned(load(spec), about)
                self.bind(encoder)
                return encoder
            if (spec, about) not in self._encoders:
                self._encoders[spec, about] = load(spec) if about is None else turned(self.load_encoder(spec), about)
            return self._encoders[spec, about]

    def encoder_of(self, row: SenseRow) -> Encoder | None:
        """The encoder that made the vectors of a sense; None where they were given and no encoder was named.

        Raises:
            FingerprintMismatch: the encoder of that name on this machine is another one.
            ModelError: it cannot be loaded.
        """
        definition = Definition.read(row.definition)
        if definition.encoder is None or row.fingerprint == GIVEN:
            return None
        with self._lock:
            if row.fingerprint in self._bound:
                return self._bound[row.fingerprint]
        try:
            encoder = self.load_encoder(definition.encoder, definition.about)
        except ModelError as error:
            raise ModelError(
                f"sense {row.name!r} was made with the encoder {definition.encoder!r}, which cannot be loaded: {error}"
            ) from error
        if encoder.fingerprint != row.fingerprint:
            raise self.mismatch(row, encoder.fingerprint)
        return encoder

    def mismatch(self, row: SenseRow, fingerprint: str) -> FingerprintMismatch:
        """What to say when an encoder is not the one that made a sense."""
        name = row.definition.get("encoder")
        return FingerprintMismatch(
            f"sense {row.name!r} was made with another {name!r} (fingerprint {row.fingerprint[:12]}) than the one here "
            f"({fingerprint[:12]}): use the one that it was made with, or drop the sense and add it again "
            f"(similia senses {self.name} drop {row.name})"
        )


def turned(encoder: Encoder, about: str | None) -> Encoder:
    """The encoder, turned to an aspect where one is given."""
    if about is None:
        return encoder
    from similia.encode import AspectEncoder

    return AspectEncoder(encoder, about)


@dataclass(eq=False)
class State:
    """One state of a collection, for the thread and the block that opened it."""

    space: Workspace
    version: int
    _held: dict[int, Vectors]
    _fields: dict[str, str] | None = None
    _senses: dict[str, SenseRow] | None = None

    @property
    def store(self) -> Store:
        """The store; reads inside the block see this state."""
        return self.space.store

    @property
    def fields(self) -> dict[str, str]:
        """Field name -> type, in the order of their first appearance."""
        if self._fields is None:
            self._fields = {name: stored.type for name, stored in self.store.fields().items()}
        return self._fields

    @property
    def senses(self) -> dict[str, SenseRow]:
        """Sense name -> sense, ``topic`` first."""
        if self._senses is None:
            rows = self.store.senses()
            self._senses = dict(sorted(rows.items(), key=lambda row: row[0] != TOPIC))
        return self._senses

    def sense(self, name: str) -> SenseRow:
        """The sense of that name.

        Raises:
            UnknownSense: there is none.
        """
        if name in self.senses:
            return self.senses[name]
        known = list(self.senses)
        hint = nearest(name, known) or (f"; the senses are {listed(known)}" if known else "; it has none yet")
        raise UnknownSense(f"collection {self.space.name!r} has no sense {name!r}{hint}")

    def ready(self, name: str) -> SenseRow:
        """The sense of that name, all of whose vectors are there.

        Raises:
            UnknownSense: there is none.
            InputError: it is being built.
        """
        row = self.sense(name)
        if row.state != "ready":
            raise InputError(
                f"sense {name!r} is not complete: {row.count:,} of {self.store.count():,} items have a vector; wait "
                "for the command that adds it, or run it again if it was interrupted"
            )
        return row

    def vectors(self, row: SenseRow) -> Vectors:
        """The vectors of a sense in this state."""
        return self.space.vectors(row, self.version, self._held)

    def table(self, row: SenseRow) -> Vectors:
        """The same with every row in the base, for what is made from all of them."""
        return self.space.table(row, self.version, self._held)

    def predicate(self, where: str | None) -> Predicate | None:
        """The filter, parsed and checked; None where nothing is asked."""
        if where is None or not where.strip():
            return None
        from similia.index.where import Predicate

        return Predicate.parse(where, self.fields)

    def select(self, predicate: Predicate) -> Allowed:
        """The items that pass a filter; found out once for every state of the collection that is searched with it."""
        key = (self.version, str(predicate))
        known = self.space.filters.get(key)
        if known is None:
            known = Allowed(self.store.select(predicate))
            self.space.keep_filter(key, known)
        return known

    def ids(self, keys: Sequence[object]) -> Int64:
        """The numbers of items.

        Raises:
            UnknownItem: a key that no item has; names the nearest.
        """
        names = [str(key) for key in keys]
        ids = self.store.ids(names)
        unknown = np.flatnonzero(ids < 0)
        if unknown.size:
            raise UnknownItem(self._unknown(names[unknown[0]], unknown.size - 1))
        return ids

    def _unknown(self, key: str, more: int) -> str:
        hint = ""
        if self.store.count() <= _LOOKED_AT:
            hint = nearest(key, self.store.keys(self.store.select(None)))
        also = f" (nor {more:,} more of those asked for)" if more else ""
        return f"collection {self.space.name!r} has no item {key!r}{also}{hint}"
