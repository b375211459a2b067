"""What the store hands out besides arrays: small frozen records."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from similia.types import Int64

Precision = Literal["float32", "float16"]


@dataclass(frozen=True)
class SenseRow:
    """One sense of a collection, as it is stored.

    Attributes:
        state: "building" while items may lack a vector, "ready" when each has one.
        count: the number of items that have a vector.
        id: changes whenever the vectors are others than before in a way that row versions do not tell; what is
            derived from a sense must be named after it.
    """

    name: str
    definition: dict[str, Any]
    fingerprint: str
    dimension: int
    precision: Precision
    state: str
    count: int
    id: int = 0


@dataclass(frozen=True)
class ChangeRow:
    """One line of the log: state is "open", "done", "undone" or "interrupted"; times are ISO-8601 in UTC."""

    number: int
    command: str
    arguments: dict[str, Any]
    state: str
    started: str
    finished: str | None
    added: int
    replaced: int
    deleted: int


@dataclass(frozen=True, eq=False)
class PutResult:
    """What became of each row: ``ids`` int64 (n,), -1 where it was skipped."""

    ids: Int64
    added: int
    replaced: int
    skipped: int


@dataclass(frozen=True)
class CheckReport:
    """Each promise as (promise, held, detail), and what was mended; ``ok`` is how things are afterwards."""

    ok: bool
    promises: list[tuple[str, bool, str]]
    mended: list[str]
