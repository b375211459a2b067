"""What the verbs of a collection say when they are done: small, showable, and plain JSON on request."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from similia.collection.showing import Sheet, Shown
from similia.collection.tables import jsonable


@dataclass(frozen=True)
class AddReport(Shown):
    """What an add did.

    Attributes:
        added, replaced, skipped: items; a row that repeats a key counts as replaced or skipped.
        rows: of the input.
        seconds: how long it took, this time.
        fields: field name -> type, of the collection afterwards.
        key: the field that holds the keys; None where items were numbered.
        resumed: whether it went on with the work of an interrupted command.
        change: its number in the log.
        loss: sense -> largest 1 - cosine between vectors and what was stored, for senses in float16.
        notes: what was left out of the input, one sentence each.
    """

    added: int
    replaced: int
    skipped: int
    rows: int
    seconds: float
    fields: Mapping[str, str]
    key: str | None
    resumed: bool
    change: int
    loss: Mapping[str, float] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON."""
        return jsonable(asdict(self))  # type: ignore[no-any-return]

    def _sheets(self) -> list[Sheet]:
        done = [("added", self.added), ("replaced", self.replaced), ("skipped", self.skipped)]
        said = ", ".join(f"{count:,} {what}" for what, count in done if count or what == "added")
        key = f"key {self.key}" if self.key else "numbered keys"
        speed = f"{self.rows / self.seconds:,.0f} rows/s" if self.seconds > 0 else ""
        loss = "; ".join(f"float16 loses up to {loss:.1e} of cosine in {name}" for name, loss in self.loss.items())
        note = " · ".join(
            filter(None, (key, f"{self.seconds:.1f} s", speed, loss, "resumed" if self.resumed else "", *self.notes))
        )
        return [Sheet(("field", "type"), list(self.fields.items()), said, note)]


@dataclass(frozen=True)
class Sense:
    """One sense of a collection.

    Attributes:
        name: of the sense.
        fields: what it reads.
        encoder: the encoder's name; None where vectors were given.
        about: the aspect that it was turned to, or None.
        dimension: of its vectors.
        precision: ``float32`` or ``float16``.
        loss: largest 1 - cosine that float16 cost, measured on its first vectors; None in float32.
        count: how many items have a vector.
        state: ``ready``, or ``building`` while a command adds it.
        vectors: the field that its vectors come from, or None.
        fingerprint: of the encoder.
    """

    name: str
    fields: tuple[str, ...]
    encoder: str | None
    about: str | None
    dimension: int
    precision: str
    loss: float | None
    count: int
    state: str = "ready"
    vectors: str | None = None
    fingerprint: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON."""
        return jsonable(asdict(self))  # type: ignore[no-any-return]


def sense_sheet(senses: Mapping[str, Sense]) -> Sheet:
    """A table of senses."""
    rows = [
        [
            s.name,
            ", ".join(s.fields),
            s.encoder or "given",
            s.about,
            s.dimension,
            s.precision if s.loss is None else f"{s.precision} (loss {s.loss:.1e})",
            s.count if s.state == "ready" else f"{s.count:,} (building)",
        ]
        for s in senses.values()
    ]
    return Sheet(("sense", "fields", "encoder", "about", "dimension#", "precision", "items#"), rows)


@dataclass(frozen=True)
class Info(Shown):
    """What a collection is: fields, senses, sizes, and its last change."""

    name: str
    path: str
    items: int
    fields: dict[str, str]
    senses: dict[str, Sense]
    bytes: dict[str, int]
    version: int
    uuid: str
    changes: int
    last_change: dict[str, Any] | None

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON."""
        return jsonable(asdict(self))  # type: ignore[no-any-return]

    def _sheets(self) -> list[Sheet]:
        total = self.bytes.get("total", sum(self.bytes.values()))
        sizes = [[name, _megabytes(size)] for name, size in self.bytes.items() if size and name != "total"]
        last = self.last_change
        note = "" if last is None else f"last change: {last['number']} {last['command']} ({last['state']})"
        return [
            Sheet((), [], f"{self.name}: {self.items:,} items, {_megabytes(total)}", self.path),
            Sheet(("field", "type"), list(self.fields.items())),
            sense_sheet(self.senses),
            Sheet(("part", "size#"), sizes, note=note),
        ]


def _megabytes(size: int) -> str:
    return f"{size / 2**20:,.1f} MB" if size >= 2**20 else f"{size / 2**10:,.0f} kB"
