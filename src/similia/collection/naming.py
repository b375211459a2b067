"""Names that were mistyped, and the ones that were probably meant."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Sequence

from similia.errors import InputError

_SENSE = re.compile(r"\w[\w .+-]{0,63}")
_CLOSE = 200  # how many candidates difflib looks at closely


def nearest(name: str, candidates: Iterable[str], count: int = 3) -> str:
    """A half-sentence that names up to ``count`` candidates most like ``name``; empty where none is.

    Examples:
        >>> nearest("titel", ["title", "abstract"])
        "; did you mean 'title'?"
        >>> nearest("x", ["title", "abstract"])
        ''
    """
    pool = sorted(set(candidates), key=lambda candidate: _roughly(name, candidate))[:_CLOSE]
    lowered = {candidate.casefold(): candidate for candidate in reversed(pool)}
    close = difflib.get_close_matches(name.casefold(), list(lowered), count)
    if not close:
        return ""
    *others, last = [repr(lowered[match]) for match in close]
    return f"; did you mean {', '.join(others) + ' or ' if others else ''}{last}?"


def _roughly(name: str, candidate: str) -> tuple[int, int, str]:
    """Sort key: how many characters differ when order does not count, then how much of the beginning is the same."""
    one, other = name.casefold(), candidate.casefold()
    apart = len(set(one) ^ set(other)) + abs(len(one) - len(other))
    beginning = next((place for place, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), len(one))
    return apart, -beginning, candidate


def listed(names: Sequence[str], limit: int = 12) -> str:
    """Names joined for a sentence, cut after ``limit``.

    Examples:
        >>> listed(["a", "b", "c"], limit=2)
        'a, b and 1 more'
    """
    shown = ", ".join(names[:limit])
    return f"{shown} and {len(names) - limit:,} more" if len(names) > limit else shown


def sense_name(name: str) -> str:
    """Check the name of a new sense.

    Examples:
        >>> sense_name("goes-with")
        'goes-with'
        >>> sense_name("a/b")
        Traceback (most recent call last):
        similia.errors.InputError: 'a/b' cannot name a sense: take 1 to 64 letters, digits, spaces or any of . _ + -
    """
    if not _SENSE.fullmatch(str(name)) or name != name.strip():
        raise InputError(f"{name!r} cannot name a sense: take 1 to 64 letters, digits, spaces or any of . _ + -")
    return name


def field_names(names: str | Sequence[str], fields: Iterable[str]) -> tuple[str, ...]:
    """The fields that ``names`` means: one name, several, or several in one string with commas.

    Raises:
        InputError: a name that is no field, or none at all.

    Examples:
        >>> field_names("title, abstract", {"title": "text", "abstract": "text"})
        ('title', 'abstract')
    """
    known = list(fields)
    if isinstance(names, str):
        names = [names] if names in known else [part.strip() for part in names.split(",") if part.strip()]
    chosen = tuple(dict.fromkeys(names))
    if not chosen:
        raise InputError(f"no field is named: take some of {listed(known)}")
    for name in chosen:
        if name not in known:
            raise InputError(f"there is no field {name!r}{nearest(name, known) or f'; the fields are {listed(known)}'}")
    return chosen
