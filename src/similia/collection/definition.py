"""What a sense is made of: the fields it reads, the encoder that makes its vectors, the aspect it is about."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from similia.collection.naming import field_names
from similia.errors import InputError

TOPIC = "topic"
GIVEN = "given"
"""The fingerprint of a sense whose vectors came with the items and have no encoder."""

READABLE = ("text", "category", "integer", "number", "boolean", "date", "datetime", "list")
SEARCHED = ("text", "category")


@dataclass(frozen=True)
class Definition:
    """The definition of a sense, as the store keeps it.

    Attributes:
        fields: whose text is encoded, in this order; also what the text view of a search looks into.
        encoder: what `similia.encode.load` gives the encoder for; None where the vectors were given.
        about: the aspect that conditions the encoder, or None.
        vectors: the field that the vectors come from, or None where the encoder makes them.
        loss: the largest 1 - cosine between vectors and their float16 form, measured on the first ones; None in
            float32.
    """

    fields: tuple[str, ...]
    encoder: str | None = None
    about: str | None = None
    vectors: str | None = None
    loss: float | None = None

    @classmethod
    def read(cls, stored: Mapping[str, Any]) -> Definition:
        """The definition from its stored form; what a later version added is left out."""
        known = {name: stored.get(name) for name in ("encoder", "about", "vectors", "loss")}
        return cls(tuple(stored.get("fields", ())), **known)

    def stored(self) -> dict[str, Any]:
        """The form that the store keeps, plain JSON."""
        return {**asdict(self), "fields": list(self.fields)}

    def same(self, other: Definition) -> bool:
        """Whether both make the same vectors (the measured loss does not count)."""
        return (self.fields, self.encoder, self.about, self.vectors) == (
            other.fields,
            other.encoder,
            other.about,
            other.vectors,
        )

    def searched(self, types: Mapping[str, str]) -> tuple[str, ...]:
        """Those of the fields that full text covers."""
        return tuple(name for name in self.fields if types.get(name) in SEARCHED)


def text_fields(named: str | Sequence[str] | None, types: Mapping[str, str]) -> tuple[str, ...]:
    """The fields that a sense reads: those named, else all text fields, else all category fields.

    Args:
        named: names, or None.
        types: field name -> type.

    Raises:
        InputError: an unknown field, one that is no text, or none to take.

    Examples:
        >>> text_fields(None, {"id": "integer", "title": "text", "area": "category"})
        ('title',)
    """
    if named is not None:
        chosen = field_names(named, types)
        for name in chosen:
            if types[name] not in READABLE:
                raise InputError(
                    f"field {name!r} is of type {types[name]}; a sense reads fields of {', '.join(READABLE)}"
                )
        return chosen
    for kind in SEARCHED:
        if chosen := tuple(name for name, type_ in types.items() if type_ == kind):
            return chosen
    return ()
