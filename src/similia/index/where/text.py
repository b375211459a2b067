"""A tree as filter text again: canonical, and parsed to the same tree."""

from __future__ import annotations

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
    Like,
    Not,
    OneOf,
    Or,
    Truth,
    Value,
)
from similia.index.where.words import KEYWORDS

_STRENGTH = {"+": 1, "-": 1, "*": 2, "/": 2}


def name(field: str) -> str:
    """A field name, in double quotes where it needs them.

    Examples:
        >>> print(name("year"), name("publication year"))
        year "publication year"
    """
    if field.isidentifier() and field.upper() not in KEYWORDS:
        return field
    return '"' + field.replace('"', '""') + '"'


def render(node: Condition) -> str:
    """Write a condition."""
    match node:
        case And(terms):
            return " AND ".join(_grouped(term) if isinstance(term, Or) else render(term) for term in terms)
        case Or(terms):
            return " OR ".join(render(term) for term in terms)
        case Not(IsNull(value)):
            return f"{_value(value)} IS NOT NULL"
        case Not(term):
            return f"NOT {_grouped(term) if isinstance(term, And | Or) else render(term)}"
        case Compare(operator, left, right):
            return f"{_value(left)} {operator} {_value(right)}"
        case OneOf(value, options, null):
            shown = [_value(option) for option in options] + ["NULL"] * null
            return f"{_value(value)} IN ({', '.join(shown)})"
        case Like(value, pattern, fold):
            escape = " ESCAPE '\\'" if pattern.escaped else ""
            return f"{_value(value)} {'ILIKE' if fold else 'LIKE'} {_quoted(str(pattern))}{escape}"
        case IsNull(value):
            return f"{_value(value)} IS NULL"
        case Contains(field, element):
            return f"contains({name(field.name)}, {_value(element)})"
        case Truth(field):
            return name(field.name)
        case Constant(value):
            return str(value).upper()


def _grouped(node: Condition) -> str:
    return f"({render(node)})"


def _value(node: Expression) -> str:
    match node:
        case Field(field):
            return name(field)
        case Value(value, kind):
            return _literal(value, kind)
        case Call("midnight", argument):
            return _value(argument)
        case Call(function, argument):
            return f"{function}({_value(argument)})"
        case Arithmetic(operator, left, right):
            own = _STRENGTH[operator]
            return f"{_operand(left, own)} {operator} {_operand(right, own + 1)}"


def _operand(node: Expression, needed: int) -> str:
    weak = isinstance(node, Arithmetic) and _STRENGTH[node.operator] < needed
    return f"({_value(node)})" if weak else _value(node)


def _literal(value: object, kind: str) -> str:
    if kind == "date":
        return f"DATE {_quoted(str(value))}"
    if kind == "datetime":
        return f"TIMESTAMP {_quoted(str(value))}"
    if isinstance(value, bool):
        return str(value).upper()
    return _quoted(value) if isinstance(value, str) else repr(value)


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
