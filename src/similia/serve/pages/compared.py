"""A comparison, ready to show: senses as bars, fields side by side, shared words marked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import isnan
from typing import TYPE_CHECKING, Any

from similia.serve.display import Display, text_of, title_of
from similia.serve.highlight import Piece, mark, terms_of

if TYPE_CHECKING:
    from similia.collection import Comparison

LONGEST = 20_000


@dataclass(frozen=True)
class Row:
    """A field of both items. ``relation`` is "same", "differs", or "one" where only one item has it."""

    name: str
    kind: str
    left: list[Piece]
    right: list[Piece]
    relation: str
    note: str


@dataclass(frozen=True)
class Bar:
    """How alike two items are in one sense. ``percentile`` counts pairs of the collection that are less alike."""

    sense: str
    similarity: float
    percentile: float | None
    phrases: list[tuple[str, str, float]]
    note: str


@dataclass(frozen=True)
class Pair:
    """Two items side by side."""

    left_title: str
    right_title: str
    bars: list[Bar]
    rows: list[Row]
    shared: list[str]


def compared(
    comparison: Comparison,
    left: Mapping[str, Any],
    right: Mapping[str, Any],
    display: Display,
    left_key: str,
    right_key: str,
) -> Pair:
    """A comparison of two records, ready to show."""
    shared = [term for term, _ in comparison.shared_terms]
    terms = terms_of(" ".join(shared)) if shared else frozenset()
    rows = []
    for name, field in comparison.fields.items():
        a, b = text_of(left.get(name)), text_of(right.get(name))
        if not a and not b:
            continue
        relation = "same" if a == b else "one" if not a or not b else "differs"
        rows.append(Row(name, field.kind, mark(a[:LONGEST], terms), mark(b[:LONGEST], terms), relation, field.note))
    bars = [
        Bar(name, sense.similarity, None if isnan(sense.percentile) else sense.percentile, sense.phrases, sense.note)
        for name, sense in comparison.senses.items()
    ]
    return Pair(title_of(left, display, left_key), title_of(right, display, right_key), bars, rows, shared)
