"""The senses of a collection: looking at them, adding one, dropping one."""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from similia.collection import upkeep
from similia.collection.definition import Definition, text_fields
from similia.collection.making import BATCH, CHARACTERS, READ, Maker, rounding_loss
from similia.collection.naming import listed, sense_name
from similia.collection.reports import Sense, sense_sheet
from similia.collection.store import Change, SenseRow
from similia.collection.workspace import Workspace
from similia.errors import CollectionDamaged, InputError
from similia.progress import bar
from similia.types import Int64

if TYPE_CHECKING:
    from rich.console import Group

    from similia.encode import Encoder


def described(row: SenseRow) -> Sense:
    """A sense as users see it."""
    definition = Definition.read(row.definition)
    return Sense(
        row.name,
        definition.fields,
        definition.encoder,
        definition.about,
        row.dimension,
        row.precision,
        definition.loss,
        row.count,
        row.state,
        definition.vectors,
        row.fingerprint,
    )


class Senses(Mapping[str, Sense]):
    """The senses of a collection, by name.

    Examples:
        >>> import tempfile
        >>> from similia import Collection
        >>> with tempfile.TemporaryDirectory() as folder, Collection.open(folder + "/c", create=True) as shelf:
        ...     report = shelf.add([{"title": "Cables", "note": "For phones"}], text="title,note", encoder="hashing")
        ...     added = shelf.senses.add("name", text="title", encoder="hashing:64")
        ...     [(sense.name, sense.fields, sense.dimension) for sense in shelf.senses.values()][1]
        ('name', ('title',), 64)
    """

    def __init__(self, space: Workspace) -> None:
        self._space = space

    def _all(self) -> dict[str, Sense]:
        with self._space.reading() as state:
            return {name: described(row) for name, row in state.senses.items()}

    def __getitem__(self, name: str) -> Sense:
        with self._space.reading() as state:
            return described(state.sense(name))

    def __contains__(self, name: object) -> bool:
        return name in self._all()

    def __iter__(self) -> Iterator[str]:
        return iter(self._all())

    def __len__(self) -> int:
        return len(self._all())

    def __repr__(self) -> str:
        return f"Senses({listed(list(self)) or 'none'})"

    def __rich__(self) -> Group:
        from similia.collection.showing import rich_sheets

        return rich_sheets([sense_sheet(self._all())])

    def _repr_html_(self) -> str:
        from similia.collection.showing import html_sheets

        return html_sheets([sense_sheet(self._all())])

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON: name -> sense."""
        return {name: sense.to_dict() for name, sense in self._all().items()}

    def add(
        self,
        name: str,
        text: str | Sequence[str] | None = None,
        *,
        encoder: str | Encoder | None = None,
        about: str | None = None,
        precision: str = "float32",
        progress: bool | None = None,
    ) -> Sense:
        """Add a sense and encode every item for it; an interrupted one goes on when it is added again.

        Args:
            name: 1 to 64 letters, digits, spaces or any of ``. _ + -``.
            text: the fields that it reads; by default all text fields.
            encoder: see `similia.encode.load`; by default the bundled one.
            about: the aspect that matters in this sense ("the method that the paper proposes").
            precision: ``float32``, or ``float16`` for half the space.
            progress: True or False to show a bar or not; by default on a terminal.

        Raises:
            InputError: the name is taken or cannot be one, or there is no such field.
            ModelError: the encoder cannot be loaded.
        """
        return _Building(self._space, name, text, encoder, about, precision).run(progress)

    def drop(self, name: str) -> None:
        """Drop a sense with its vectors; nothing else is touched, and ``undo`` brings it back.

        Raises:
            UnknownSense: there is none of that name.
        """
        with self._space.reading() as state:
            state.sense(name)
        with self._space.store.change("senses drop", {"name": name}) as change, change.transaction():
            change.drop_sense(name)
        refresh(self._space, load=False)

    def bind(self, name: str, encoder: Encoder) -> None:
        """Use an encoder object for a sense that was made with it (one that no name can load).

        Raises:
            UnknownSense: there is no such sense.
            FingerprintMismatch: another encoder made the sense.
        """
        with self._space.reading() as state:
            row = state.sense(name)
            bound = self._space.load_encoder(encoder, Definition.read(row.definition).about)
            if bound.fingerprint != row.fingerprint:
                raise self._space.mismatch(row, bound.fingerprint)


class _Building:
    """Adding one sense: what it is to be, and the way there."""

    def __init__(
        self,
        space: Workspace,
        name: str,
        text: str | Sequence[str] | None,
        encoder: str | Encoder | None,
        about: str | None,
        precision: str,
    ) -> None:
        from similia.collection.planning import encoder_spec

        self.space, self.name = space, sense_name(name)
        if precision not in ("float32", "float16"):
            raise InputError(f"precision {precision!r} is not one of float32, float16")
        if about is not None and not about.strip():
            raise InputError("about is blank: say what matters in this sense, or leave it out")
        spec = encoder_spec(encoder)
        with space.reading() as state:
            fields = text_fields(text, state.fields)
            known = listed(list(state.fields)) or "none yet"
        if not fields:
            raise InputError(f"the collection has no text field for a sense to read (its fields: {known})")
        self.encoder = space.load_encoder(spec, about)
        self.definition = Definition(fields, spec if isinstance(spec, str) else spec.name, about)
        self.precision = precision
        self.maker = Maker(self.name, fields, self.encoder, None, self.encoder.dimension, precision)

    def run(self, progress: bool | None) -> Sense:
        """Encode what is not encoded yet."""
        store = self.space.store
        arguments = {"name": self.name, **{n: v for n, v in self.definition.stored().items() if v is not None}}
        same = json.dumps([arguments, self.encoder.fingerprint, self.precision], sort_keys=True)
        with store.change("senses add", arguments, resume_key=hashlib.sha256(same.encode()).hexdigest()) as change:
            row = store.senses().get(self.name)
            if row is not None:
                self._check(row)
            with bar(f"encoding {self.name}", store.count(), show=progress) as shown:
                shown.advance(0 if row is None else row.count)
                while (ids := store.without_vector(self.name, BATCH) if row else store.select(limit=BATCH)).size:
                    shown.advance(self._batch(change, ids, create=row is None))
                    row = row or store.senses()[self.name]
            with change.transaction():
                if row is None:
                    self._create(change, None)
                if row is None or row.state != "ready":
                    change.finish_sense(self.name)
        refresh(self.space)
        with self.space.reading() as state:
            return described(state.sense(self.name))

    def _check(self, row: SenseRow) -> None:
        if row.state == "ready":
            raise InputError(f"there is a sense {self.name!r} already: drop it first, or take another name")
        same = Definition.read(row.definition).same(self.definition) and row.fingerprint == self.encoder.fingerprint
        if not same or row.precision != self.precision:
            raise InputError(
                f"sense {self.name!r} was begun with other fields, encoder, about or precision: add it as before, or "
                "drop it first"
            )

    def _batch(self, change: Change, ids: Int64, *, create: bool) -> int:
        """Encode and store the first of these items, all but for long texts, and return how many."""
        store = self.space.store
        records: list[dict[str, Any]] = []
        characters = 0
        while len(records) < ids.size and characters < CHARACTERS:
            part = store.records(ids[len(records) : len(records) + READ])
            characters += sum(len(value) for record in part for value in record.values() if type(value) is str)
            records += part
        ids = ids[: len(records)]
        vectors = self.maker.make(store.keys(ids), records)
        with change.transaction():
            if create:
                self._create(change, rounding_loss(vectors) if self.precision == "float16" else None)
            change.put_vectors(self.name, ids, vectors)
        return len(records)

    def _create(self, change: Change, loss: float | None) -> None:
        change.create_sense(
            self.name,
            replace(self.definition, loss=loss).stored(),
            fingerprint=self.encoder.fingerprint,
            dimension=self.encoder.dimension,
            precision=self.precision,
        )


def refresh(space: Workspace, *, load: bool = True) -> None:
    """Bring the files of vectors up to date after a change; what cannot be done now is done by the next search."""
    with contextlib.suppress(OSError, CollectionDamaged), space.reading() as state:
        upkeep.sweep(state.store, list(state.senses.values()))
        space.keep({row.id for row in state.senses.values()})
        for row in state.senses.values():
            if load and row.state == "ready":
                state.vectors(row)
