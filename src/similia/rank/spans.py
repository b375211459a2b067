"""The sentences of a text with their places in it."""

from __future__ import annotations

import re
from collections.abc import Iterator

MOST_WORDS = 80
"""Words of a sentence; a longer one is cut, so that an encoder reads all of it."""
_END = re.compile(
    r"(?<=[.!?…])[\"'”’)\]]*\s+(?=[\"'“‘(\[]*[^\W_a-z])"  # a full stop, and what may start a sentence
    r"|(?<=[。！？।॥؟۔։።])[\"'”’）」』\]]*\s*"  # scripts whose full stop needs no space
    r"|[\r\n\u2028\u2029]+"
)  # fmt: skip
_BREAK = re.compile(r"[\r\n\u2028\u2029]")
_WORD = re.compile(r"\w")
_TOKEN = re.compile(r"\S+")
_ABBREVIATION = re.compile(
    r"(?<![^\s(\[])(?:e\.g|i\.e|cf|vs|etc|al|approx|Figs?|Eq|Sec|No|Vol|Mrs?|Ms|Dr|Prof|St|[A-Z])\.$"
)
_FULL = 50  # characters of a line that was probably broken because it was full
_LONGEST = 400  # characters of a cut sentence, where no space shows its words


def sentence_spans(text: str, *, most_words: int = MOST_WORDS) -> Iterator[tuple[int, int]]:
    r"""Where the sentences or lines of a text start and stop, in order, without the white space around them.

    A long line that ends without a full stop goes on in the next.
    A sentence of more than ``most_words`` words comes in several pieces, cut between words; in scripts that put no
    spaces, after 400 characters. What has no word in it is left out.

    Examples:
        >>> text = "We rank, e.g. Here. Then we fuse!\n\n  Dr. Who follows"
        >>> [text[start:stop] for start, stop in sentence_spans(text)]
        ['We rank, e.g. Here.', 'Then we fuse!', 'Dr. Who follows']
        >>> list(sentence_spans("one two three", most_words=2))
        [(0, 7), (8, 13)]
    """
    start = 0
    for match in _END.finditer(text):
        if _BREAK.search(match[0]):
            if _wrapped(text, match):
                continue
        elif _ABBREVIATION.search(text, max(start, match.start() - 12), match.start()):
            continue
        # Closing quotes belong to the sentence that they close.
        closing = len(match[0]) - len(match[0].lstrip("\"'”’)）」』]"))
        yield from _pieces(text, start, match.start() + closing, most_words)
        start = match.end()
    yield from _pieces(text, start, len(text), most_words)


def _wrapped(text: str, match: re.Match[str]) -> bool:
    """Whether a line ends where it was full, in the middle of a sentence."""
    if len(_BREAK.findall(match[0].replace("\r\n", "\n"))) > 1 or text[match.start() - 1 : match.start()] in ".!?…:;":
        return False
    line = match.start() - 1 - max(text.rfind("\n", 0, match.start()), -1)
    return line >= _FULL


def _pieces(text: str, start: int, stop: int, most_words: int) -> Iterator[tuple[int, int]]:
    if not _WORD.search(text, start, stop):
        return
    tokens = [match.span() for match in _TOKEN.finditer(text, start, stop)]
    # A token longer than a sentence should be is one of a script without spaces.
    cut = [(a, min(a + _LONGEST, z)) for first, z in tokens for a in range(first, z, _LONGEST)]
    begin = 0
    while begin < len(cut):
        end = begin + 1
        while end < len(cut) and end - begin < most_words and cut[end][1] - cut[begin][0] <= _LONGEST * 4:
            end += 1
        if _WORD.search(text, cut[begin][0], cut[end - 1][1]):
            yield cut[begin][0], cut[end - 1][1]
        begin = end
