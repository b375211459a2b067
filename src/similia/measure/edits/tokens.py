"""Text and code as the tokens that edits are measured in."""

from __future__ import annotations

import re

# Longest first: the pattern takes the first that fits.
OPERATORS = (
    *(">>>=", "<<=", ">>=", "**=", "//=", "??=", "&&=", "||=", "===", "!==", ">>>", "...", "..=", "<=>"),
    *("==", "!=", "<=", ">=", "->", "=>", "::", ":=", "&&", "||", "??", "?.", "++", "--", "+=", "-=", "*=", "/="),
    *("%=", "&=", "|=", "^=", "@=", "<<", ">>", "**", "//", ".."),
)
CODE = re.compile(
    r"[^\W\d]\w*"  # names
    r"|0[xXbBoO][0-9a-fA-F_]+|\d[\d_]*(?:\.\d[\d_]*)?(?:[eE][+-]?\d+)?"  # numbers
    f"|{'|'.join(map(re.escape, OPERATORS))}"
    r"|\S"
)
INDENTED = re.compile(rf"(?m:^[^\S\n]*(?=\S))|{CODE.pattern}")
WORD = re.compile(r"\w+(?:['’-]\w+)*|[^\w\s]")


def code_tokens(text: str, *, indentation: bool = False) -> list[str]:
    r"""Split code into names, numbers, operators and single symbols; white space is dropped.

    Args:
        text: code of any language.
        indentation: keep the white space at the start of each line that is not blank as a token of its own (a newline
            and that white space), so that a change of indentation is seen.

    Examples:
        >>> code_tokens("if x1 <= 2.5: y += 1")
        ['if', 'x1', '<=', '2.5', ':', 'y', '+=', '1']
        >>> code_tokens("if x:\n  y", indentation=True)
        ['\n', 'if', 'x', ':', '\n  ', 'y']
    """
    if not indentation:
        return CODE.findall(text)
    return ["\n" + token if not token.strip() else token for token in INDENTED.findall(text)]


def words(text: str) -> list[str]:
    """Split text into words (with inner apostrophes and hyphens) and single marks; case is kept.

    Examples:
        >>> words("It's well-known: yes!")
        ["It's", 'well-known', ':', 'yes', '!']
    """
    return WORD.findall(text)
