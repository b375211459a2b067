"""LIKE patterns: ``%`` stands for any text, ``_`` for one character, everything else for itself."""

from __future__ import annotations

import re
from dataclasses import dataclass

from similia.errors import FilterError

MAX_LENGTH = 1000


@dataclass(frozen=True, slots=True)
class Pattern:
    """What is between the ``%`` signs, each a tuple of characters in which None stands for ``_``.

    Examples:
        >>> Pattern.parse("a%b_c").segments
        (('a',), ('b', None, 'c'))
        >>> bool(Pattern.parse("50!%%", "!").compile().match("50% of all"))
        True
    """

    segments: tuple[tuple[str | None, ...], ...]

    @classmethod
    def parse(cls, text: str, escape: str | None = None) -> Pattern:
        """Read a pattern; the character after ``escape`` stands for itself."""
        if len(text) > MAX_LENGTH:
            raise FilterError(f"a LIKE pattern has {len(text):,} characters; {MAX_LENGTH:,} are the most")
        segments: list[list[str | None]] = [[]]
        characters = iter(text)
        for character in characters:
            if character == escape:
                literal = next(characters, None)
                if literal is None:
                    raise FilterError(f"the LIKE pattern {text!r} ends in its escape character; double it to match it")
                segments[-1].append(literal)
            elif character == "%":
                segments.append([])
            else:
                segments[-1].append(None if character == "_" else character)
        # Two % in a row mean what one does.
        inner = [segment for segment in segments[1:-1] if segment]
        kept = [segments[0], *inner, segments[-1]] if len(segments) > 1 else segments
        return cls(tuple(map(tuple, kept)))

    def fold(self) -> Pattern:
        """The pattern that matches a folded text where this one matches without regard to case."""
        from similia.index.where.casing import fold

        return Pattern(tuple(tuple(c if c is None else fold(c) for c in segment) for segment in self.segments))

    def literals(self) -> tuple[str, ...] | None:
        """The text of each segment, or None if one has a ``_``."""
        if any(None in segment for segment in self.segments):
            return None
        return tuple("".join(c or "" for c in segment) for segment in self.segments)

    def compile(self) -> re.Pattern[str]:
        """A regular expression for ``match``, in time linear in the text: a matched segment is never taken back."""
        parts = [_regex(segment) for segment in self.segments]
        if len(parts) == 1:
            return re.compile(rf"(?s:{parts[0]})\Z")
        inner = "".join(f"(?>.*?{part})" for part in parts[1:-1])
        return re.compile(rf"(?s:{parts[0]}{inner}.*{parts[-1]})\Z")

    def regex(self) -> str:
        """The same for engines without backtracking (RE2), to match a whole text with ``.`` matching a line break."""
        return ".*".join(map(_regex, self.segments))

    def glob(self) -> str:
        """The same as a SQLite GLOB pattern, which, unlike its LIKE, heeds case."""
        escaped = ("".join("?" if c is None else f"[{c}]" if c in "*?[" else c for c in s) for s in self.segments)
        return "*".join(escaped)

    def __str__(self) -> str:
        """As LIKE text; what must stand for itself is escaped with a backslash."""
        return "%".join("".join("_" if c is None else _escape(c) for c in segment) for segment in self.segments)

    @property
    def escaped(self) -> bool:
        r"""Whether the text needs ``ESCAPE '\'``."""
        return any(c is not None and c in "%_\\" for segment in self.segments for c in segment)


def _escape(character: str) -> str:
    return f"\\{character}" if character in "%_\\" else character


def _regex(segment: tuple[str | None, ...]) -> str:
    return "".join("." if c is None else _quote(c) for c in segment)


def _quote(character: str) -> str:
    if character == "\0":
        return r"\x00"
    return f"\\{character}" if character in r"\.^$*+?{}[]|()" else character
