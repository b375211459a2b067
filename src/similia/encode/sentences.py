"""The sentences of a text, by its punctuation and lines."""

from __future__ import annotations

import re

MOST = 64
"""Sentences of a text that are looked at, by default."""
_LONGEST = 50_000  # characters of a text that are looked at
_END = re.compile(r"(?<=[.!?。！？])[\"')\]]*\s+(?=[\"'(\[]*[^\W_a-z])|[\r\n]+")
_WORD = re.compile(r"\w")


def sentences(text: str, most: int = MOST) -> list[str]:
    r"""Return the sentences or lines of a text, the first ``most`` of them; none where it has no word.

    Examples:
        >>> sentences("We rank. Then we fuse!\nResults follow, e.g. here")
        ['We rank.', 'Then we fuse!', 'Results follow, e.g. here']
    """
    parts = (" ".join(part.split()) for part in _END.split(text[:_LONGEST]))
    return [part for part in parts if _WORD.search(part)][:most]
