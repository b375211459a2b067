"""What a tour is about: where the items come from, how they can be alike, and what is asked about them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal


@dataclass(frozen=True)
class Question:
    """One search of the tour: for a ``query``, or for what is like the first of the keys ``like`` that is there."""

    why: str
    query: str | None = None
    like: Sequence[str] = ()
    sense: str = "topic"
    where: str | None = None
    mode: Literal["hybrid", "dense", "text"] = "hybrid"


@dataclass(frozen=True)
class OtherSense:
    """The second sense of the tour; ``shown`` is the field that says most about an item in it."""

    name: str
    text: Sequence[str]
    shown: str
    encoder: str | None = None
    about: str | None = None


@dataclass(frozen=True)
class Gathered:
    """Items written to a file: where, how many, what was found, and whether the file was there already."""

    path: Path
    count: int
    lead: str
    reused: bool


@dataclass(frozen=True)
class Subject:
    """A tour.

    Attributes:
        name: of the collection.
        title, unit, group_name: for headings: "functions, classes and methods", "packages".
        gather: writes the items as JSON lines into a folder, or finds them there from an earlier run.
        gathering: what that is called.
        key, text, schema: as for `similia.Collection.add`.
        called: the field that says which item it is in the fewest words.
        group: the field that colours the map.
        kind: the field that splits the bars.
        note: what to say of an item beside its key, in one line.
        other: the second sense.
        searching: the heading of the searches.
        questions: the searches.
        pairs: keys of two items to compare; the first pair that is there is taken.
        classes: class name -> words that describe it.
        apart: the field in which near-duplicates must differ to be worth showing.
        near: the cosine from which two items are called near-duplicates.
        next_steps: (command, what it does).
    """

    name: str
    title: str
    unit: str
    group_name: str
    gather: Callable[[Path], Gathered]
    gathering: str
    key: str
    called: str
    text: Sequence[str]
    schema: Mapping[str, str]
    group: str
    kind: str
    note: Callable[[Mapping[str, Any]], str]
    other: OtherSense
    searching: str
    questions: Sequence[Question]
    pairs: Sequence[tuple[str, str]]
    classes: Mapping[str, Sequence[str]]
    apart: str
    near: float
    next_steps: Sequence[tuple[str, str]] = field(default_factory=tuple)
