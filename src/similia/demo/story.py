"""What a tour found, as plain data: the terminal and the report tell the same story from it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from similia.types import Float32


@dataclass(frozen=True)
class Stage:
    """One step of the work: what was done, how long it took, and with how many items."""

    name: str
    seconds: float
    items: int


@dataclass(frozen=True)
class Found:
    """One search: ``hits`` are rows with ``key``, ``score`` and ``note``."""

    why: str
    sense: str
    command: str
    hits: list[dict[str, Any]]


@dataclass(frozen=True)
class Alike:
    """Two items side by side: per sense the similarity and the share of pairs that are less alike (0 to 100)."""

    left: dict[str, Any]
    right: dict[str, Any]
    senses: dict[str, tuple[float, float | None]]
    terms: list[str]
    command: str


@dataclass(frozen=True)
class Labelled:
    """How many items each class got, and the surest items of each."""

    counts: dict[str, int]
    surest: dict[str, list[str]]
    command: str


@dataclass(frozen=True, eq=False)
class Spread:
    """Cosine similarities in one sense: of random pairs, and of items with their nearest neighbour."""

    random: Float32
    nearest: Float32


@dataclass(frozen=True, eq=False)
class Points:
    """The map: ``xy`` (n, 2) float32, and per point its key, its note and the number of its group."""

    keys: list[str]
    notes: list[str]
    xy: Float32
    group: list[int]
    groups: list[str]


@dataclass
class Story:
    """Everything that a tour has to tell. Filled as the tour goes on."""

    title: str
    lead: str
    unit: str
    group_name: str
    created: str
    version: str
    stages: list[Stage] = field(default_factory=list)
    counts: dict[str, dict[str, int]] = field(default_factory=dict)
    points: Points | None = None
    searches: list[Found] = field(default_factory=list)
    comparison: Alike | None = None
    labels: Labelled | None = None
    spreads: dict[str, Spread] = field(default_factory=dict)
    duplicates: list[dict[str, Any]] = field(default_factory=list)
    duplicate_command: str = ""
    next_steps: list[tuple[str, str]] = field(default_factory=list)
