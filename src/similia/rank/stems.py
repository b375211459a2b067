"""Words of a text with their places, and their stems as the full-text index has them."""

from __future__ import annotations

import re
import threading
import unicodedata
from collections.abc import Iterator
from functools import cache, lru_cache
from typing import Any, NamedTuple

UNSPACED = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
"""Thai, Lao, Burmese, Khmer, kana and ideographs: scripts that put no spaces between words."""
_STOP = (
    "a about an and any are as at be been but by can could did do does for from had has have he her his how i if in "
    "into is it its me my no not of on or our she should so some such than that the their them then there these they "
    "this those to was we were what when where which while who whom whose why will with would you your"
)
STOP = frozenset(_STOP.split())
"""Words of English that say nothing about what is asked for."""


class Word(NamedTuple):
    """A word: where it starts and stops in the text, and its stem."""

    start: int
    stop: int
    stem: str


def words(text: str) -> Iterator[Word]:
    """The words of a text, in order; of scripts without spaces every two neighbouring letters, which overlap.

    Examples:
        >>> [tuple(word) for word in words("Naïve copies")]
        [(0, 5, 'naiv'), (6, 12, 'copi')]
        >>> [word.stem for word in words("東京大学")]
        ['東京', '京大', '大学']
    """
    for match in _pattern().finditer(text):
        start, stop = match.span()
        if match.lastgroup != "run":
            yield Word(start, stop, stem(match[0]))
            continue
        ends = [start + found.end() for found in _letter().finditer(match[0])]
        bounds = [start, *ends]
        for place in range(max(1, len(ends) - 1)):
            last = bounds[min(place + 2, len(ends))]
            yield Word(bounds[place], last, unicodedata.normalize("NFC", text[bounds[place] : last]))


@lru_cache(maxsize=2**16)
def stem(word: str) -> str:
    """One word without case, accents and ending: what SQLite's full-text index (porter, unicode61) makes of it.

    Source: Porter, An algorithm for suffix stripping (Program 14, 1980).

    Examples:
        >>> [stem(word) for word in ("Detection", "detecting", "détecté", "copies", "copy")]
        ['detect', 'detect', 'detect', 'copi', 'copi']
    """
    import apsw

    data = word.replace("\0", " ").encode(errors="replace")
    flags = apsw.FTS5_TOKENIZE_DOCUMENT
    parts = _tokenizer()(data, flags, None, include_offsets=False, include_colocated=False)
    return " ".join(map(str, parts)) or word.casefold()


def telling(text: str) -> dict[str, None]:
    """The different stems of a query, in order, without words that say nothing, unless there are no others.

    Examples:
        >>> list(telling("How does the copying work?")), list(telling("to be or not to be"))
        (['copi', 'work'], ['to', 'be', 'or', 'not'])
    """
    found = [(text[word.start : word.stop].casefold(), word.stem) for word in words(text)]
    kept = [stem for word, stem in found if word not in STOP] or [stem for _, stem in found]
    return dict.fromkeys(kept)


@cache
def _pattern() -> re.Pattern[str]:
    """Runs of letters of scripts without spaces, and words of all others, with the marks that follow a letter."""
    marks = _marks()
    return re.compile(
        rf"(?P<run>[{UNSPACED}{marks}]*[{UNSPACED}][{UNSPACED}{marks}]*)|(?:(?![{UNSPACED}])[^\W_][{marks}]*)+"
    )


@cache
def _letter() -> re.Pattern[str]:
    return re.compile(rf".[{_marks()}]*", re.DOTALL)


@cache
def _marks() -> str:
    """The combining marks of the living scripts, which a regular expression takes for no part of a word."""
    return "".join(chr(code) for code in range(0x300, 0x3100) if unicodedata.category(chr(code)).startswith("M"))


_local = threading.local()


def _tokenizer() -> Any:
    """One for each thread: a connection is not for several at once."""
    import apsw

    if not hasattr(_local, "tokenizer"):
        _local.connection = apsw.Connection(":memory:")
        _local.tokenizer = _local.connection.fts5_tokenizer("porter", ["unicode61", "remove_diacritics", "2"])
    return _local.tokenizer
