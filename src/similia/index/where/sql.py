"""Walks the tree once for every SQL engine; what differs between engines is a `Dialect`.

Only fragments written in this package, the column expressions that the caller gives and ``?`` reach the SQL text.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, Protocol, TypeAlias

from similia.index.where.tree import (
    And,
    Arithmetic,
    Call,
    Compare,
    Condition,
    Constant,
    Contains,
    Expression,
    Field,
    IsNull,
    Kind,
    Like,
    Not,
    OneOf,
    Or,
    Truth,
    Value,
)

Column: TypeAlias = Callable[[str], str]


class Sql(NamedTuple):
    """A piece of SQL and its parameters, in order."""

    text: str
    parameters: tuple[Any, ...] = ()


class Dialect(Protocol):
    """How one engine says what the tree means."""

    def value(self, value: Any, kind: Kind) -> Sql:
        """A literal, bound."""
        ...

    def real(self, operand: Sql) -> Sql:
        """A number as a 64-bit float."""
        ...

    def divide(self, left: Sql, right: Sql) -> Sql:
        """The quotient; NULL by zero."""
        ...

    def known(self, operand: Sql, kind: Kind) -> Sql:
        """A value whose NaN is NULL."""
        ...

    def call(self, function: str, argument: Sql, kind: Kind) -> Sql:
        """A function of an argument of that kind."""
        ...

    def compare(self, operator: str, left: Sql, right: Sql, kinds: tuple[Kind, Kind]) -> Sql:
        """A comparison of known values."""
        ...

    def like(self, value: Sql, node: Like) -> Sql:
        """A text against a pattern."""
        ...

    def contains(self, value: Sql, element: Value) -> Sql:
        """A list that has an element."""
        ...

    def truth(self, value: Sql) -> Sql:
        """A boolean value as a condition."""
        ...


def sql(template: str, *parts: Sql) -> Sql:
    """Fill the ``{}`` of a template; parameters follow in the order of the parts.

    Examples:
        >>> sql("({} = {})", Sql("f1"), Sql("?", (3,)))
        Sql(text='(f1 = ?)', parameters=(3,))
    """
    return Sql(template.format(*(part.text for part in parts)), tuple(p for part in parts for p in part.parameters))


def generate(node: Condition, column: Column, dialect: Dialect) -> Sql:
    """SQL for a condition."""

    def condition(node: Condition) -> Sql:
        match node:
            case And(terms):
                return _balanced("({} AND {})", [condition(term) for term in terms])
            case Or(terms):
                return _balanced("({} OR {})", [condition(term) for term in terms])
            case Not(term):
                return sql("(NOT {})", condition(term))
            case Compare(operator, left, right):
                return dialect.compare(operator, known(left), known(right), (left.kind, right.kind))
            case OneOf(value, options, null):
                listed = [expression(option) for option in options] + [Sql("NULL")] * null
                return sql(f"({{}} IN ({', '.join(['{}'] * len(listed))}))", known(value), *listed)
            case Like(value):
                return dialect.like(expression(value), node)
            case IsNull(value):
                return sql("({} IS NULL)", known(value))
            case Contains(field, element):
                return dialect.contains(expression(field), element)
            case Truth(field):
                return dialect.truth(expression(field))
            case Constant(value):
                return Sql("(1 = 1)" if value else "(1 = 0)")

    def known(node: Expression) -> Sql:
        return dialect.known(expression(node), node.kind)

    def expression(node: Expression) -> Sql:
        match node:
            case Field(name):
                return Sql(column(name))
            case Value(value, kind):
                return dialect.value(value, kind)
            case Call(function, argument):
                return dialect.call(function, expression(argument), argument.kind)
            case Arithmetic(operator, left, right):
                operands = (dialect.real(expression(left)), dialect.real(expression(right)))
                return dialect.divide(*operands) if operator == "/" else sql(f"({{}} {operator} {{}})", *operands)

    return condition(node)


def _balanced(template: str, parts: Sequence[Sql]) -> Sql:
    """Join in pairs of pairs: engines limit how deep an expression is, not how wide."""
    level = list(parts)
    while len(level) > 1:
        pairs = [sql(template, *level[at : at + 2]) for at in range(0, len(level) - 1, 2)]
        level = pairs + level[len(pairs) * 2 :]
    return level[0]
