"""Upper and lower case one character at a time (Unicode's simple mapping), so that no engine's answer is longer.

Python's own ``"ß".upper()`` is ``"SS"``, SQLite's ``lower`` knows ASCII only, DuckDB maps one code point to one. The
last is the meaning taken here, and these functions give it in Python and, registered, in SQLite.
"""

from __future__ import annotations

from collections.abc import Callable


class _Simple(dict[int, str]):
    """Code point -> character; filled as characters are met."""

    def __init__(self, *mappings: Callable[[str], str], **exceptions: str) -> None:
        super().__init__({ord(character): mapped for character, mapped in exceptions.items()})
        self._mappings = mappings

    def __missing__(self, code: int) -> str:
        character = chr(code)
        candidates = (mapping(character) for mapping in self._mappings)
        self[code] = mapped = next((c for c in candidates if len(c) == 1), character)
        return mapped


_LOWER = _Simple(str.lower, İ="i")
_UPPER = _Simple(str.upper, str.title, ß="ẞ")


def lower(text: str) -> str:
    """Lower case.

    Examples:
        >>> lower("ÀΣİ")
        'àσi'
    """
    mapped = text.lower()
    # Python's differs in İ, which it makes two characters, and in Σ at the end of a word only.
    return mapped if len(mapped) == len(text) and "Σ" not in text else text.translate(_LOWER)


def upper(text: str) -> str:
    """Upper case.

    Examples:
        >>> upper("àςß")
        'ÀΣẞ'
    """
    mapped = text.upper()
    return mapped if len(mapped) == len(text) else text.translate(_UPPER)


def fold(text: str) -> str:
    """One form for texts that differ in case only, final and other sigma included.

    Examples:
        >>> fold("ὈΔΥΣΣΕΎΣ") == fold("ὀδυσσεύς")
        True
    """
    return lower(upper(text))
