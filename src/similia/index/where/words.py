"""From text to tokens, with everything that is not a word of the filter language refused by name and position.

What the parser is given afterwards holds operators, literals, quoted names and calls of known functions, nothing else:
whatever more SQL the parser could read, it never sees.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from difflib import get_close_matches
from typing import TYPE_CHECKING

from similia.errors import FilterError

if TYPE_CHECKING:
    from sqlglot import Token

MAX_LENGTH = 250_000
MAX_TOKENS = 25_000
MAX_DEPTH = 20

KEYWORDS = frozenset({"AND", "OR", "NOT", "IN", "IS", "NULL", "LIKE", "ILIKE", "BETWEEN", "TRUE", "FALSE", "ESCAPE"})
FUNCTIONS = frozenset({"abs", "contains", "day", "length", "lower", "month", "upper", "year"})
DATED = frozenset({"DATE", "TIMESTAMP"})
SYMBOLS = frozenset({"=", "<>", "!=", "<", "<=", ">", ">=", "+", "-", "*", "/", "(", ")", ",", "."})
BEFORE_BRACKET = KEYWORDS - {"NULL", "TRUE", "FALSE"}
PREFIX = "f_"  # calls reach the parser under names that it has no rules for

_NUMBER = re.compile(r"(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", re.ASCII | re.IGNORECASE)


def tokens(text: str) -> list[Token]:
    """Split a filter into tokens for the parser.

    Raises:
        FilterError: the first thing that is not part of the language, or a limit that is exceeded.
    """
    _check_text(text)
    found = _tokenize(text)
    _check_brackets(found)
    from sqlglot import Token, TokenType

    out: list[Token] = []

    def emit(kind: TokenType, value: str, at: Token) -> None:
        out.append(Token(kind, value, at.line, at.col, at.start, at.end))

    closing: Token | None = None
    for index, token in enumerate(found):
        source = text[token.start : token.end + 1]
        following = found[index + 1] if index + 1 < len(found) else None
        before_bracket = following is not None and following.token_type is TokenType.L_PAREN
        word = source.upper()
        if token.comments or source.startswith(("--", "/*")):
            raise FilterError(f"the filter has a comment near character {token.end + 2}; write it without")
        if token.token_type is TokenType.STRING and source.startswith("'"):
            emit(TokenType.STRING, token.text, token)
            if closing is not None:
                emit(TokenType.R_PAREN, ")", token)
                closing = None
        elif token.token_type is TokenType.NUMBER:
            if not _NUMBER.fullmatch(source):
                raise FilterError(f"{shortened(source)} at character {token.start + 1} is not a number")
            emit(TokenType.NUMBER, source, token)
        elif token.token_type is TokenType.IDENTIFIER and source.startswith('"'):
            emit(TokenType.IDENTIFIER, token.text, token)
        elif word in KEYWORDS:
            if before_bracket and word not in BEFORE_BRACKET:
                raise FilterError(f"{source} at character {token.start + 1} cannot stand before a parenthesis")
            out.append(token)
        elif source.isidentifier():
            if before_bracket:
                emit(TokenType.VAR, PREFIX + _function(source, token), token)
            elif word in DATED and following is not None and following.token_type is TokenType.STRING:
                emit(TokenType.VAR, PREFIX + word.lower(), token)
                emit(TokenType.L_PAREN, "(", token)
                closing = token
            else:
                emit(TokenType.IDENTIFIER, source, token)
        elif source in SYMBOLS:
            out.append(token)
        else:
            raise FilterError(_unknown_symbol(source, token.start + 1))
    return out


def shortened(text: str, most: int = 40) -> str:
    """A text as an error shows it: quoted, and not at length."""
    return repr(text if len(text) <= most else text[:most] + "...")


def _check_text(text: str) -> None:
    if not isinstance(text, str):
        raise FilterError(f'a filter is a text such as "year >= 2020", not {type(text).__name__}')
    if not text.strip():
        raise FilterError('the filter is empty; write for instance "year >= 2020", or leave it out')
    if len(text) > MAX_LENGTH:
        raise FilterError(f"the filter has {len(text):,} characters; {MAX_LENGTH:,} are the most")
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise FilterError(f"the filter has half a surrogate pair at character {error.start + 1}") from None


def _tokenize(text: str) -> Sequence[Token]:
    from sqlglot import Token, Tokenizer
    from sqlglot.errors import TokenError

    # The tokenizer takes words such as SHOW at the very beginning for commands; a bracket before them prevents that.
    try:
        bracket, *found = Tokenizer().tokenize("(" + text)
    except TokenError:
        raise FilterError(
            "the filter has a quote that is not closed; text stands in 'single' quotes (a quote in it is doubled), "
            'a field name may stand in "double" quotes'
        ) from None
    if bracket.comments:
        raise FilterError("the filter begins with a comment; write it without")
    if len(found) > MAX_TOKENS:
        raise FilterError(f"the filter has {len(found):,} words and signs; {MAX_TOKENS:,} are the most")
    return [Token(t.token_type, t.text, t.line, t.col, t.start - 1, t.end - 1, t.comments) for t in found]


def _check_brackets(found: Sequence[Token]) -> None:
    """Refuse what nests too deeply for the parser, and brackets that do not match."""
    opened: list[int] = []
    prefixes = 0
    for token in found:
        sign = token.text.upper() if token.token_type.name in {"L_PAREN", "R_PAREN", "NOT", "DASH", "PLUS"} else ""
        prefixes = prefixes + 1 if sign in {"NOT", "-", "+", "("} else 0
        if sign == "(":
            opened.append(token.start)
        elif sign == ")":
            if not opened:
                raise FilterError(f"the ) at character {token.start + 1} has no ( before it")
            opened.pop()
        if len(opened) > MAX_DEPTH or prefixes > MAX_DEPTH:
            raise FilterError(f"the filter nests more than {MAX_DEPTH} levels deep at character {token.start + 1}")
    if opened:
        raise FilterError(f"the ( at character {opened[-1] + 1} is not closed")


def _function(name: str, token: Token) -> str:
    if name.lower() in FUNCTIONS:
        return name.lower()
    near = get_close_matches(name[:40].lower(), FUNCTIONS, 1)
    hint = f"did you mean {near[0]}? There are" if near else "there are"
    raise FilterError(
        f"unknown function {shortened(name)} at character {token.start + 1}; {hint} {', '.join(sorted(FUNCTIONS))}"
    )


def _unknown_symbol(source: str, position: int) -> str:
    hints = {
        ";": "a filter is one expression",
        "==": "write =",
        "&&": "write AND",
        "||": "write OR",
        "!": "write NOT",
        "%": "LIKE patterns stand in quotes: title LIKE '%graph%'",
        "`": 'field names stand in "double" quotes',
    }
    hint = hints.get(
        source, 'there are = <> < <= > >= + - * / ( ) and a name with other signs stands in "double" quotes'
    )
    return f"{shortened(source)} at character {position} is not part of the filter language; {hint}"
