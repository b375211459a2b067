"""Arguments and options that several commands share, so that they are called and explained the same everywhere."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from similia.collection.naming import nearest
from similia.errors import InputError

TYPES = ("text", "category", "integer", "number", "boolean", "date", "datetime", "list", "json", "vector", "image")


class Format(StrEnum):
    """How results are written. On a terminal the default is a table, in a pipe JSON."""

    TABLE = "table"
    JSON = "json"
    JSONL = "jsonl"
    CSV = "csv"


class Precision(StrEnum):
    """How vectors are stored."""

    FLOAT32 = "float32"
    FLOAT16 = "float16"


CollectionName = Annotated[
    Path, typer.Argument(metavar="COLLECTION", help="Its folder; a bare name is a folder here.", show_default=False)
]
Sense = Annotated[str, typer.Option("--sense", metavar="NAME", help="The sense of alike to use.")]
Where = Annotated[
    str | None, typer.Option("--where", metavar="FILTER", help='Only items that pass, as in "year >= 2020".')
]
Output = Annotated[
    Format | None,
    typer.Option("--format", help="How to write the result; a table on a terminal, else JSON.", show_default=False),
]
Wait = Annotated[
    float, typer.Option("--wait", metavar="SECONDS", min=0, help="How long to wait while another process writes.")
]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
Encoder = Annotated[
    str | None,
    typer.Option(
        "--encoder",
        metavar="NAME",
        help="What turns text into vectors: minilm, hashing, a model folder, or hub:owner/name. [default: "
        "SIMILIA_ENCODER, else minilm]",
        show_default=False,
    ),
]


def schema(values: Sequence[str] | None) -> dict[str, str] | None:
    """Field types from ``["year=integer,area=category"]``; None where nothing is given.

    Raises:
        InputError: a part that is not ``field=type``, or a type that does not exist.

    Examples:
        >>> schema(["year=integer, area=category"])
        {'year': 'integer', 'area': 'category'}
        >>> schema(["year=int"])
        Traceback (most recent call last):
        similia.errors.InputError: --schema year=int: there is no type 'int'; did you mean 'integer'?
    """
    found: dict[str, str] = {}
    for part in _parts(values):
        name, equals, kind = (piece.strip() for piece in part.rpartition("="))
        if not equals or not name:
            raise InputError(f"--schema {part}: expected field=type, as in year=integer")
        if kind not in TYPES:
            hint = nearest(kind, TYPES) or f"; take one of {', '.join(TYPES)}"
            raise InputError(f"--schema {part}: there is no type {kind!r}{hint}")
        found[name] = kind
    return found or None


def _parts(values: Sequence[str] | None) -> Iterable[str]:
    return (part.strip() for value in values or () for part in value.split(",") if part.strip())
