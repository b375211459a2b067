"""The tree that a filter is turned into: names and types are checked, and nothing of the user's text is left in it.

Values have a *kind*: text, integer, number, boolean, date, datetime, list, or one that only IS NULL can look at (json,
vector, image). Conditions are true, false or unknown (NULL), as in SQL.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Literal, TypeAlias

from similia.index.where.pattern import Pattern

Kind: TypeAlias = Literal["text", "integer", "number", "boolean", "date", "datetime", "list", "json", "vector", "image"]
Scalar: TypeAlias = str | int | float | bool
Comparison: TypeAlias = Literal["=", "<>", "<", "<=", ">", ">="]

KINDS: dict[str, Kind] = {
    "text": "text",
    "category": "text",
    "integer": "integer",
    "number": "number",
    "boolean": "boolean",
    "date": "date",
    "datetime": "datetime",
    "list": "list",
    "json": "json",
    "vector": "vector",
    "image": "image",
}  # type of a field -> kind of its values


@dataclass(frozen=True, slots=True)
class Field:
    """The value of a field."""

    name: str
    kind: Kind


@dataclass(frozen=True, slots=True)
class Value:
    """A literal. Dates and datetimes are ISO-8601 text, as in the store."""

    value: Scalar
    kind: Kind


@dataclass(frozen=True, slots=True)
class Call:
    """A function: lower, upper, length, abs, year, month, day, or midnight (the datetime at which a date begins)."""

    name: str
    argument: Expression
    kind: Kind


@dataclass(frozen=True, slots=True)
class Arithmetic:
    """Two numbers combined in 64-bit floating point; anything by zero is unknown."""

    operator: Literal["+", "-", "*", "/"]
    left: Expression
    right: Expression
    kind: Literal["number"] = "number"


Expression: TypeAlias = Field | Value | Call | Arithmetic


@dataclass(frozen=True, slots=True)
class Compare:
    """Two values of comparable kinds: text by code point, integers and numbers exactly, dates by time."""

    operator: Comparison
    left: Expression
    right: Expression


@dataclass(frozen=True, slots=True)
class OneOf:
    """Membership in a list of literals of the value's own kind; with ``null``, no match means unknown."""

    value: Expression
    options: tuple[Value, ...]
    null: bool


@dataclass(frozen=True, slots=True)
class Like:
    """The whole of a text against a pattern; without regard to case if ``fold``."""

    value: Expression
    pattern: Pattern
    fold: bool


@dataclass(frozen=True, slots=True)
class IsNull:
    """Whether a value is missing; never unknown."""

    value: Expression


@dataclass(frozen=True, slots=True)
class Contains:
    """Whether a list has an element that equals a literal."""

    list: Field
    element: Value


@dataclass(frozen=True, slots=True)
class Truth:
    """A boolean field used as a condition."""

    field: Field


@dataclass(frozen=True, slots=True)
class Constant:
    """TRUE or FALSE."""

    value: bool


@dataclass(frozen=True, slots=True)
class And:
    """True if all are, false if one is not, else unknown."""

    terms: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Or:
    """True if one is, false if none is, else unknown."""

    terms: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Not:
    """The opposite; of unknown, unknown."""

    term: Condition


Condition: TypeAlias = Compare | OneOf | Like | IsNull | Contains | Truth | Constant | And | Or | Not
Node: TypeAlias = Expression | Condition

NODES = (Field, Value, Call, Arithmetic, Compare, OneOf, Like, IsNull, Contains, Truth, Constant, And, Or, Not)


def walk(node: Node) -> Iterator[Node]:
    """Yield ``node`` and everything below it.

    Examples:
        >>> [type(node).__name__ for node in walk(Not(Truth(Field("open", "boolean"))))]
        ['Not', 'Truth', 'Field']
    """
    waiting: list[Node] = [node]
    while waiting:
        node = waiting.pop()
        yield node
        for attribute in fields(node):
            part = getattr(node, attribute.name)
            waiting.extend(p for p in (part if isinstance(part, tuple) else (part,)) if isinstance(p, NODES))
