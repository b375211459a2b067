"""From tokens to the tree: sqlglot reads the grammar, this file decides what is allowed and what it means.

Every node that sqlglot hands over is matched against a list of known shapes; anything else is refused, so that a newer
sqlglot can make a filter fail but never change what it means.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, cast

from similia.errors import FilterError, InputError
from similia.index.where import coerce
from similia.index.where.pattern import Pattern
from similia.index.where.text import name as written
from similia.index.where.tree import (
    KINDS,
    And,
    Arithmetic,
    Call,
    Compare,
    Comparison,
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
from similia.index.where.words import DATED, PREFIX, shortened, tokens

if TYPE_CHECKING:
    from sqlglot import Token, exp

_COMPARISONS: dict[str, Comparison] = {"EQ": "=", "NEQ": "<>", "LT": "<", "LTE": "<=", "GT": ">", "GTE": ">="}
_ARITHMETIC: dict[str, Any] = {"Add": "+", "Sub": "-", "Mul": "*", "Div": "/"}
_TAKES: dict[str, tuple[tuple[Kind, ...], Kind]] = {
    "lower": (("text",), "text"),
    "upper": (("text",), "text"),
    "length": (("text", "list"), "integer"),
    "abs": (("integer", "number"), "number"),
    "year": (("date", "datetime"), "integer"),
    "month": (("date", "datetime"), "integer"),
    "day": (("date", "datetime"), "integer"),
}  # function -> kinds it takes, kind it gives
_MAX_CHAIN = 100  # operands of one + - * / chain


def parse(text: str, fields: Mapping[str, str]) -> Condition:
    """Read a filter against ``fields`` (name -> type)."""
    unknown = sorted({kind for kind in fields.values() if kind not in KINDS})
    if unknown:
        raise InputError(f"field type {unknown[0]!r} is unknown; there are {', '.join(KINDS)}")
    found = tokens(text)
    try:
        return _Reader(fields).condition(_grammar(found, text, fields))
    except RecursionError:
        raise FilterError("the filter nests too deeply here; split it into smaller parts") from None


def _grammar(found: Sequence[Token], text: str, fields: Mapping[str, str]) -> exp.Expression:
    from sqlglot import exp
    from sqlglot.errors import ParseError
    from sqlglot.parser import Parser

    try:
        parsed = Parser().parse_into(exp.Condition, list(found), text)
    except ParseError as error:
        raise FilterError(_syntax(error, found, text, fields)) from None
    if len(parsed) != 1 or parsed[0] is None:
        raise FilterError("the filter must be one expression, such as \"year >= 2020 AND title LIKE '%graph%'\"")
    return cast("exp.Expression", parsed[0])


def _syntax(error: Exception, found: Sequence[Token], text: str, fields: Mapping[str, str]) -> str:
    """One sentence for a parser error."""
    details: dict[str, Any] = (getattr(error, "errors", None) or [{}])[0]
    at = next((t for t in found if t.line == details.get("line") and t.col == details.get("col")), found[-1])
    source, position = text[at.start : at.end + 1], at.start + 1
    shown = shortened(source)
    example = "a filter reads like \"year >= 2020 AND title LIKE '%graph%'\""
    if source in fields and not source.startswith('"'):
        return f'{source} is not understood at character {position}; where the field is meant, write "{source}"'
    complete = at.token_type.name in ("STRING", "NUMBER", "IDENTIFIER", "R_PAREN")
    if not complete and (at is found[-1] or "missing" in str(details.get("description"))):
        return f"something is missing after {shown} at character {position}; {example}"
    return f"{shown} is not understood at character {position}; {example}"


@dataclass(frozen=True)
class _Reader:
    """Turns the parser's nodes to ours, checking names and kinds on the way."""

    fields: Mapping[str, str]

    def condition(self, node: exp.Expression) -> Condition:
        """A node that must be true, false or unknown."""
        kind = type(node).__name__
        if kind == "Paren":
            return self.condition(_part(node))
        if kind in ("And", "Or"):
            terms = tuple(self.condition(term) for term in _chain(node, kind))
            return _joined(And if kind == "And" else Or, terms)
        if kind == "Not":
            return _negated(self.condition(_part(node)))
        try:
            return self._test(node, kind)
        except FilterError as error:
            raise _placed(error, node) from None

    def _test(self, node: exp.Expression, kind: str) -> Condition:
        if kind in _COMPARISONS:
            left, right = _part(node), _part(node, "expression")
            return _comparison(_COMPARISONS[kind], self.value(left), self.value(right))
        if kind == "Between":
            value, low, high = self.value(_part(node)), _part(node, "low"), _part(node, "high")
            _only(node, "this", "low", "high")
            bounds = (_comparison(">=", value, self.value(low)), _comparison("<=", value, self.value(high)))
            return And(bounds)
        if kind == "In":
            return self._one_of(node)
        if kind in ("Like", "ILike"):
            return self._like(node, None)
        if kind == "Escape":
            return self._like(_part(node), _part(node, "expression"))
        if kind == "Is":
            if type(_part(node, "expression")).__name__ != "Null":
                raise FilterError("IS takes NULL or NOT NULL only; compare with = instead")
            return IsNull(self.value(_part(node), any_kind=True))
        if kind == "Boolean":
            return Constant(bool(node.this))
        if kind == "Anonymous" and _called(node) == "contains":
            return self._contains(node)
        value = self.value(node)
        if isinstance(value, Field) and value.kind == "boolean":
            return Truth(value)
        raise FilterError(f"{coerce.describe(value)} is not a condition; compare it with something, as in year >= 2020")

    def _one_of(self, node: exp.Expression) -> Condition:
        _only(node, "this", "expressions")
        value = self.value(_part(node))
        given = [_bare(option) for option in node.args.get("expressions") or []]
        if not given:
            raise FilterError("IN needs a list of values in parentheses, as in area IN ('cs.IR', 'cs.CL')")
        literals = [self.value(option) for option in given if type(option).__name__ != "Null"]
        options = [literal for literal in literals if isinstance(literal, Value)]
        if len(options) < len(literals):
            raise FilterError("IN takes literal values only; write a comparison for each field instead")
        coerce.comparable(value, options[0] if options else value)
        members = coerce.members(value, options)
        null = len(literals) < len(given)
        # A list that the value can never be in: false, and unknown where the value is missing.
        return OneOf(value, members, null) if members or null else Compare("<>", value, value)

    def _like(self, node: exp.Expression, escape: exp.Expression | None) -> Condition:
        fold = type(node).__name__ == "ILike"
        if type(node).__name__ == "Not":
            return _negated(self._like(_part(node), escape))
        if type(node).__name__ not in ("Like", "ILike"):
            raise FilterError("ESCAPE belongs after LIKE 'pattern'")
        _only(node, "this", "expression", "negate")
        value = self.value(_part(node))
        pattern = _bare(_part(node, "expression"))
        if value.kind != "text":
            dated = value.kind in ("date", "datetime")
            hint = "take year(...) of it or compare it with 'YYYY-MM-DD'" if dated else "it takes text only"
            raise FilterError(f"LIKE cannot be used on {coerce.describe(value)}; {hint}")
        if not _is_text(pattern):
            raise FilterError("LIKE takes a pattern in 'single' quotes, as in title LIKE '%graph%'")
        if escape is not None and not (_is_text(escape) and len(escape.this) == 1):
            raise FilterError("ESCAPE takes one character in 'single' quotes")
        read = Pattern.parse(str(pattern.this), None if escape is None else str(escape.this))
        like = Like(value, read.fold() if fold else read, fold)
        return _negated(like) if node.args.get("negate") else like

    def _contains(self, node: exp.Expression) -> Condition:
        arguments = node.args.get("expressions") or []
        if len(arguments) != 2:
            raise FilterError("contains takes a list field and a value, as in contains(tags, 'graph')")
        field, element = (self.value(argument, any_kind=True) for argument in arguments)
        if not isinstance(field, Field) or field.kind != "list":
            raise FilterError(
                f"contains looks into a list field, not {coerce.describe(field)}; in a text, use LIKE '%part%'"
            )
        if not isinstance(element, Value):
            raise FilterError("contains looks for a literal value, as in contains(tags, 'graph')")
        return Contains(field, element)

    def value(self, node: exp.Expression, *, any_kind: bool = False, depth: int = 0) -> Expression:
        """A node that must be a value; lists, json, vectors and images only where ``any_kind``."""
        kind = type(node).__name__
        if depth > _MAX_CHAIN:
            raise FilterError(f"an arithmetic expression has more than {_MAX_CHAIN} operands")
        if kind == "Paren":
            return self.value(_part(node), any_kind=any_kind, depth=depth)
        if kind == "Column":
            return self._field(node)
        if kind == "Literal":
            return Value(str(node.this), "text") if node.args.get("is_string") else coerce.number(str(node.this))
        if kind == "Boolean":
            return Value(bool(node.this), "boolean")
        if kind == "Neg":
            inner = _bare(_part(node))
            if type(inner).__name__ == "Literal" and not inner.args.get("is_string"):
                return coerce.number(f"-{inner.this}")
            return _arithmetic("-", Value(0, "integer"), self.value(inner, depth=depth + 1))
        if kind in _ARITHMETIC:
            left = self.value(_part(node), depth=depth + 1)
            return _arithmetic(_ARITHMETIC[kind], left, self.value(_part(node, "expression"), depth=depth + 1))
        if kind == "Anonymous" and _called(node) != "contains":
            return self._call(node, depth)
        if kind == "Null":
            raise FilterError("a comparison with NULL is never true; write IS NULL or IS NOT NULL")
        raise FilterError("a value is needed here, not a condition; boolean fields compare with true or false")

    def _call(self, node: exp.Expression, depth: int) -> Expression:
        function = _called(node)
        arguments = node.args.get("expressions") or []
        if len(arguments) != 1:
            raise FilterError(f"{function} takes one argument, not {len(arguments)}")
        if function.upper() in DATED:
            return coerce.temporal(str(arguments[0].this), kind="date" if function == "date" else "datetime")
        argument = self.value(arguments[0], any_kind=True, depth=depth + 1)
        takes, gives = _TAKES[function]
        if argument.kind == "text" and isinstance(argument, Value) and "date" in takes:
            argument = coerce.temporal(str(argument.value))
        if argument.kind not in takes:
            raise FilterError(f"{function} takes {' or '.join(takes)}, not {coerce.describe(argument)}")
        return Call(function, argument, gives)

    def _field(self, node: exp.Expression) -> Field:
        parts = [node.args.get(part) for part in ("catalog", "db", "table", "this")]
        name = ".".join(part.name for part in parts if part is not None)
        if name in self.fields:
            return Field(name, KINDS[self.fields[name]])
        raise _placed(FilterError(_unknown_field(name, self.fields)), node)


def _arithmetic(operator: Any, left: Expression, right: Expression) -> Arithmetic:
    for side in (left, right):
        if side.kind not in ("integer", "number"):
            raise FilterError(f"{operator} takes numbers, not {coerce.describe(side)}")
    return Arithmetic(operator, left, right)


def _comparison(operator: Comparison, left: Expression, right: Expression) -> Compare:
    left, right = coerce.comparable(left, right)
    if left.kind == "boolean" and operator not in ("=", "<>"):
        raise FilterError(f"{coerce.describe(left)} is true or false and takes = and <> only, not {operator}")
    return Compare(operator, left, right)


def _joined(join: type[And] | type[Or], terms: Sequence[Condition]) -> Condition:
    flat: list[Condition] = []
    for term in terms:
        flat.extend(term.terms if isinstance(term, join) else (term,))
    return join(tuple(flat))


def _negated(term: Condition) -> Condition:
    return term.term if isinstance(term, Not) else Not(term)


def _chain(node: exp.Expression, kind: str) -> list[exp.Expression]:
    """The terms of a chain of AND or OR, however long, in order and without recursion."""
    out: list[exp.Expression] = []
    waiting = [node]
    while waiting:
        node = waiting.pop()
        if type(node).__name__ == kind:
            waiting += [_part(node), _part(node, "expression")]
        else:
            out.append(node)
    return out[::-1]


def _part(node: exp.Expression, name: str = "this") -> exp.Expression:
    from sqlglot import exp

    part = node.args.get(name)
    if not isinstance(part, exp.Expression):
        raise FilterError(f"something is missing or not understood beside {type(node).__name__.upper()}")
    return part


def _bare(node: exp.Expression) -> exp.Expression:
    while type(node).__name__ == "Paren":
        node = _part(node)
    return node


def _only(node: exp.Expression, *names: str) -> None:
    extra = [name for name, value in node.args.items() if value and name not in names]
    if extra:
        raise FilterError(f"{type(node).__name__.upper()} is not understood in this form ({extra[0]})")


def _is_text(node: exp.Expression) -> bool:
    return type(node).__name__ == "Literal" and bool(node.args.get("is_string"))


def _called(node: exp.Expression) -> str:
    return str(node.this).removeprefix(PREFIX)


def _placed(error: FilterError, node: exp.Expression) -> FilterError:
    """The error with the place in the text, if the parser kept one and the error has none yet."""
    starts = [part.meta["start"] for part in node.walk() if "start" in part.meta]
    message = str(error)
    if not starts or "at character" in message:
        return error
    return FilterError(f"at character {min(starts) + 1}: {message}")


def _unknown_field(name: str, fields: Mapping[str, str]) -> str:
    if not fields:
        return f"there is no field {shortened(name)}; the collection has no fields yet"
    lowered = {field.lower(): field for field in fields}
    near = [lowered[match] for match in get_close_matches(name[:100].lower(), lowered, 3, 0.5)]
    listed = ", ".join(written(field) for field in near or sorted(fields)[:12])
    more = "" if near or len(fields) <= 12 else f" and {len(fields) - 12} more"
    quoted = "" if name.isidentifier() else " Text" if near else "; text"
    quoted += " stands in 'single' quotes" * bool(quoted)
    offered = f"did you mean {listed}?" if near else f"there are {listed}{more}"
    return f"there is no field {shortened(name)}; {offered}{quoted}"
