"""Which words of a text a query means: marks and excerpts, as plain pieces that a template escapes."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple

_WORD = re.compile(r"\w+")
_ENDINGS = ("ations", "ation", "ingly", "ness", "ings", "ing", "edly", "ies", "ied", "ed", "es", "ly", "s", "e", "y")
_STOP = (
    "a an and are as at be by can do does for from has have how in into is it its of on or our that the their then "
    "there these they this to using was we what when where which who why will with within without you your"
)
STOP = frozenset(_STOP.split())


class Piece(NamedTuple):
    """A stretch of text, and whether it is marked."""

    text: str
    marked: bool


@lru_cache(maxsize=65_536)
def stem(word: str) -> str:
    """``word`` without case, accents and a common English ending: close to, not the same as, the full-text index.

    Examples:
        >>> [stem(word) for word in ("Detection", "detecting", "détecté", "copies", "copy", "is")]
        ['detection', 'detect', 'detect', 'cop', 'cop', 'is']
    """
    plain = "".join(
        letter for letter in unicodedata.normalize("NFKD", word.casefold()) if not unicodedata.combining(letter)
    )
    for ending in _ENDINGS:
        if plain.endswith(ending) and len(plain) - len(ending) >= 3:
            return plain[: -len(ending)]
    return plain


def terms_of(query: str) -> frozenset[str]:
    """The stems that a query asks for, without words that are everywhere.

    Examples:
        >>> sorted(terms_of("the detection of copies"))
        ['cop', 'detection']
    """
    words = _WORD.findall(query)
    telling = [word for word in words if word.casefold() not in STOP] or words
    return frozenset(stem(word) for word in telling)


def mark(text: str, terms: Iterable[str]) -> list[Piece]:
    """``text`` in pieces, the words whose stem is in ``terms`` marked; joined, the pieces are ``text`` again.

    Examples:
        >>> mark("Detecting copies", terms_of("copy"))
        [Piece(text='Detecting ', marked=False), Piece(text='copies', marked=True)]
    """
    wanted = frozenset(terms)
    pieces: list[Piece] = []
    end = 0
    for match in _WORD.finditer(text) if wanted else ():
        if stem(match[0]) in wanted:
            if match.start() > end:
                pieces.append(Piece(text[end : match.start()], marked=False))
            pieces.append(Piece(match[0], marked=True))
            end = match.end()
    if end < len(text) or not pieces:
        pieces.append(Piece(text[end:], marked=False))
    return pieces


def spans(text: str, start: int, stop: int, words: Iterable[tuple[int, int]]) -> list[Piece]:
    """``text[start:stop]`` in pieces, the stretches ``words`` (places in ``text``) marked.

    Examples:
        >>> spans("We met. The cat sat.", 8, 20, [(12, 15)])
        [Piece(text='The ', marked=False), Piece(text='cat', marked=True), Piece(text=' sat.', marked=False)]
    """
    pieces: list[Piece] = []
    for begin, end in sorted(words):
        if start <= begin < end <= stop:
            pieces += [Piece(text[start:begin], marked=False), Piece(text[begin:end], marked=True)]
            start = end
    pieces.append(Piece(text[start:stop], marked=False))
    return [piece for piece in pieces if piece.text]


def surroundings(text: str, start: int, stop: int, length: int = 280) -> tuple[str, str]:
    """What stands before and after ``text[start:stop]``, so that it all has about ``length`` characters.

    Examples:
        >>> surroundings("one two three four five six", 8, 13, 19)
        ('… two ', ' four …')
    """
    room = max(0, length - (stop - start)) // 2
    before, after = text[max(0, start - room) : start], text[stop : stop + room]
    if start > room:
        before = "… " + before[before.find(" ") + 1 :].lstrip() if " " in before.rstrip() else "… "
    if stop + room < len(text):
        after = after[: after.rfind(" ")].rstrip() + " …" if " " in after.lstrip() else " …"
    return before, after


def excerpt(text: str, terms: Iterable[str], length: int = 280) -> list[Piece]:
    """About ``length`` characters of ``text`` around the stretch with most different marked words.

    Args:
        text: of any length; only its first 100,000 characters are looked at.
        terms: stems, from `terms_of`.
        length: characters, cut at words.

    Examples:
        >>> "".join(piece.text for piece in excerpt("one two three four five six", terms_of("five"), 12))
        '… five six'
    """
    text = " ".join(text[:100_000].split())
    if len(text) <= length:
        return mark(text, terms)
    wanted = frozenset(terms)
    found = [(match.start(), match.end(), stem(match[0])) for match in _WORD.finditer(text)]
    hits = [(start, end, root) for start, end, root in found if root in wanted]
    best, begin = 0, 0
    for number, (start, _, _) in enumerate(hits):
        roots = set()
        for _, end, root in hits[number:]:
            if end - start > length * 6 // 7:
                break
            roots.add(root)
        if len(roots) > best:
            best, begin = len(roots), start
    begin = max(0, min(begin - length // 4, len(text) - length))
    if begin:  # a whole word to start with
        begin = text.find(" ", begin) + 1 or begin
    stop = text.rfind(" ", begin, begin + length) if begin + length < len(text) else len(text)
    stop = stop if stop > begin else min(begin + length, len(text))
    pieces = mark(text[begin:stop], wanted)
    before = [Piece("… ", marked=False)] if begin else []
    after = [Piece(" …", marked=False)] if stop < len(text) else []
    return [*before, *pieces, *after]
