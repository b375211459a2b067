"""Made-up repairs of a buggy function: nothing done, the right one, variations and mutants of both."""

from __future__ import annotations

import ast
import io
import tokenize
from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np

SWAPS = {
    "<": ("<=", ">"), "<=": ("<", ">="), ">": (">=", "<"), ">=": (">", "<="), "==": ("!=",), "!=": ("==",),
    "+": ("-",), "-": ("+",), "*": ("+", "//"), "/": ("//", "*"), "//": ("/",), "%": ("//",),
    "+=": ("-=",), "-=": ("+=",),
    "and": ("or",), "or": ("and",), "True": ("False",), "False": ("True",), "in": ("not in",), "is": ("is not",),
    "0": ("1",), "1": ("0", "2"), "2": ("1", "3"), "min": ("max",), "max": ("min",), "append": ("remove",),
    "not": ("",), "break": ("continue",), "continue": ("break",), "sorted": ("list",), "any": ("all",), "all": ("any",),
}  # fmt: skip
MUTANTS = 3


class Candidate(NamedTuple):
    """A prediction: how it was made, and the code."""

    kind: str
    code: str


def candidates(task: Mapping[str, str], random: np.random.Generator) -> list[Candidate]:
    """The predictions for one task, each different from the others: code with declaration and body."""
    declaration = task["declaration"]
    buggy, gold = declaration + task["buggy_solution"], declaration + task["canonical_solution"]
    made = [Candidate("no-op", buggy), Candidate("gold", gold)]
    made.append(Candidate("gold, variable renamed", renamed(gold)))
    made += [
        Candidate(f"{name}, unused line", with_unused_line(code)) for name, code in (("gold", gold), ("buggy", buggy))
    ]
    for name, code in (("gold", gold), ("buggy", buggy)):
        made += [Candidate(f"{name}, mutant", mutant) for mutant in mutants(code, len(declaration), random)]
    unique = {candidate.code: candidate for candidate in reversed(made) if parses(candidate.code)}
    return [candidate for candidate in made if unique.get(candidate.code) is candidate]


def parses(code: str) -> bool:
    """Whether it is a Python program."""
    try:
        ast.parse(code)
    except (SyntaxError, ValueError):
        return False
    return True


def with_unused_line(code: str) -> str:
    """The last function of the code with a line at its start that does nothing."""
    function = [node for node in ast.parse(code).body if isinstance(node, ast.FunctionDef)][-1]
    first, lines = function.body[0], code.splitlines(keepends=True)
    lines.insert(first.lineno - 1, " " * first.col_offset + "unused = None\n")
    return "".join(lines)


def renamed(code: str) -> str:
    """The code with the first variable that its last function assigns under another name; as it is if there is none."""
    function = [node for node in ast.parse(code).body if isinstance(node, ast.FunctionDef)][-1]
    stored = [n for n in ast.walk(function) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)]
    if not stored:
        return code
    name = min(stored, key=lambda node: (node.lineno, node.col_offset)).id
    return rewritten(code, lambda number, token: f"{name}_renamed" if token == name else token)


def mutants(code: str, start: int, random: np.random.Generator) -> list[str]:
    """Up to three versions that differ in one token after position ``start``."""
    tokens = _tokens(code)
    header = code[:start].count("\n")
    places = [i for i, token in enumerate(tokens) if token.string in SWAPS and token.start[0] > header]
    found: list[str] = []
    for place in random.permutation(places).tolist():
        choices = SWAPS[tokens[place].string]
        new = choices[int(random.integers(len(choices)))]
        mutant = rewritten(code, lambda number, token, at=place, to=new: to if number == at else token)  # type: ignore[misc]
        if mutant not in found and parses(mutant):
            found.append(mutant)
        if len(found) == MUTANTS:
            break
    return found


def rewritten(code: str, change: Callable[[int, str], str]) -> str:
    """The code with each token replaced by what ``change`` makes of its number and text; white space stays."""
    lines = code.splitlines(keepends=True)
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line))
    parts, last = [], 0
    for number, token in enumerate(_tokens(code)):
        begin, end = starts[token.start[0] - 1] + token.start[1], starts[token.end[0] - 1] + token.end[1]
        new = change(number, token.string)
        if new != token.string:
            parts += [code[last:begin], new]
            last = end
    return "".join([*parts, code[last:]])


def _tokens(code: str) -> list[tokenize.TokenInfo]:
    kept = {tokenize.NAME, tokenize.OP, tokenize.NUMBER}
    return [token for token in tokenize.generate_tokens(io.StringIO(code).readline) if token.type in kept]
