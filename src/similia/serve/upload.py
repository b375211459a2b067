"""One file that a client sends: what it is called, what is in it, how it is to be added, what has become of it."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

if TYPE_CHECKING:
    from similia.collection.sources import Scan

State: TypeAlias = Literal["reading", "ready", "waiting", "adding", "done", "failed", "stopped"]

RESTING = ("done", "failed", "stopped")
"""States that an upload does not leave."""


@dataclass(frozen=True)
class FieldFound:
    """A field of an uploaded file, as its rows show it."""

    name: str
    type: str
    example: str
    empty: int
    unique: bool


@dataclass
class Upload:
    """A file and what has become of it."""

    id: str
    collection: str
    file: str
    bytes: int
    state: State = "reading"
    rows: int | None = None
    done: int = 0
    fields: list[FieldFound] = field(default_factory=list)
    key: str | None = None
    report: dict[str, Any] | None = None
    error: str | None = None
    changed: float = field(default_factory=time.monotonic)
    cancelled: bool = False
    path: Path = Path()
    digest: str = ""

    def to_dict(self) -> dict[str, Any]:
        """What a client may know."""
        hidden = ("changed", "cancelled", "path", "digest")
        return {name: value for name, value in asdict(self).items() if name not in hidden}

    def move(self, state: State, error: str | None = None) -> None:
        """Enter another state."""
        self.state, self.error, self.changed = state, error, time.monotonic()


@dataclass(frozen=True)
class Options:
    """How a file is to be added; see `similia.Collection.add`."""

    key: str | None = None
    text: Sequence[str] | None = None
    schema: Mapping[str, str] | None = None
    on_duplicate: Literal["error", "skip", "replace"] = "error"


def fields_of(scan: Scan) -> list[FieldFound]:
    """The fields of a file, for showing."""
    return [
        FieldFound(name, kind, _short(scan.examples.get(name)), scan.nulls.get(name, 0), scan.unique.get(name, False))
        for name, kind in scan.types.items()
    ]


def safe_name(sent: str | None) -> str:
    r"""The last part of a file name that a client sent, in harmless letters.

    Examples:
        >>> safe_name("../../etc/pass wd*.csv"), safe_name(r"C:\data\a.jsonl.xz"), safe_name("..")
        ('pass_wd_.csv', 'a.jsonl.xz', 'upload')
    """
    last = re.split(r"[/\\]", sent or "")[-1]
    return re.sub(r"[^\w.-]+", "_", last)[-100:].lstrip(".-") or "upload"


def _short(value: Any) -> str:
    text = "" if value is None else " ".join(str(value).split())
    return text if len(text) <= 120 else text[:119] + "…"
