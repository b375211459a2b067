"""What a docstring says: its summary, its first paragraphs, and whether it shows an example."""

from __future__ import annotations

import re
from dataclasses import dataclass
from inspect import cleandoc

SUMMARY_LIMIT = 240  # characters: about the 64 tokens that the demo can afford to encode an item
TEXT_LIMIT = 1200  # characters of the first paragraphs, kept for reading and for full-text search

_ROLE = re.compile(r":(?:py:)?[a-z]+(?::[a-z]+)?:`~?([^`<]*?)(?:\s*<[^`>]*>)?`")
_CODE = re.compile(r"``(.+?)``|`([^`\n]+)`_{0,2}")
_UNDERLINE = re.compile(r"[-=~^]{3,}")
_SECTION = re.compile(
    r"(args?|arguments|parameters|params|returns?|raises|yields|examples?|notes?|usage|attributes|keyword arguments"
    r"|see also|references|warnings?|methods|options|caveats)\s*:?",
    re.IGNORECASE,
)
_FIELD = re.compile(r":[a-z]+(?: [^:\n]*)?:(?!`|py:|[a-z]+:`)|@[a-z]+ |\.\. ")
_EXAMPLE = re.compile(
    r"^\s*>>> |^\s*In \[\d+\]:|^\s*Examples?\s*:?\s*$|^\s*\.\. (?:code-block|ipython)::", re.MULTILINE
)
_SENTENCE = re.compile(r"(?<=[a-z0-9)\]'\"`][.!?])\s+(?=[A-Z`\"'(])")
_SIGNATURE = re.compile(r"^(?:\w+(?:\.\w+)*\.)?(?P<name>\w+)\s*(?P<call>\(.*\))\s*(?P<returns>-{1,2}>.*)?$", re.DOTALL)


@dataclass(frozen=True)
class Doc:
    """What was read: ``summary`` and ``text`` are plain prose; ``call`` is the call that the docstring opens with."""

    summary: str
    text: str
    call: str
    has_examples: bool


def read(docstring: str, name: str = "") -> Doc:
    """Take a docstring apart; reST markup becomes plain text, parameter lists and examples are left out.

    Args:
        docstring: as found in the source or at run time, indentation and all.
        name: the name of what it documents: a first line that calls it is its signature, not its summary.

    Examples:
        >>> doc = read('''clip(a, low, high)
        ...
        ...     Limit the values in an array to :func:`low <numpy.min>` and ``high``. Slow.
        ...
        ...     Parameters
        ...     ----------
        ...     a : array
        ...
        ...     >>> clip([1, 9], 2, 5)
        ... ''', "clip")
        >>> doc.summary, doc.call, doc.has_examples
        ('Limit the values in an array to low and high.', '(a, low, high)', True)
    """
    body, call = _without_signature(cleandoc(docstring), name)
    paragraphs = [_plain(paragraph) for paragraph in _prose(body)]
    paragraphs = [paragraph for paragraph in paragraphs if paragraph]
    text = _cut("\n\n".join(paragraphs), TEXT_LIMIT)
    summary = _cut(_SENTENCE.split(paragraphs[0], maxsplit=1)[0], SUMMARY_LIMIT) if paragraphs else ""
    return Doc(summary, text, call, bool(_EXAMPLE.search(docstring)))


def _without_signature(text: str, name: str) -> tuple[str, str]:
    """Split off the calls of ``name`` that C extensions open their docstrings with."""
    call = ""
    lines = text.split("\n")
    while lines and name:
        head = lines[0].strip()
        taken = 1
        while head.startswith(name) and head.count("(") > head.count(")") and taken < min(len(lines), 8):
            head = f"{head} {lines[taken].strip()}"
            taken += 1
        dashed = re.match(r"(.+?\)(?:\s*->\s*[\w.\[\], ]+?)?)\s+(?:--|—)\s+(.+)$", head, re.DOTALL)  # "f(x) -- does it"
        found = _SIGNATURE.match(dashed[1] if dashed else head.removesuffix(":"))
        if not found or found["name"] != name:
            break
        call = call or " ".join(f"{found['call']} {found['returns'] or ''}".split())
        lines = [dashed[2], *lines[taken:]] if dashed else lines[taken:]
        if dashed:
            break
        while lines and not lines[0].strip():
            lines = lines[1:]
    return cleandoc("\n".join(lines)), call


def _prose(text: str) -> list[str]:
    """The paragraphs before the first section, field list, directive or example."""
    paragraphs: list[str] = []
    for paragraph in re.split(r"\n\s*\n", text):
        lines = paragraph.strip("\n").split("\n")
        first = lines[0].strip()
        headed = len(lines) > 1 and _UNDERLINE.fullmatch(lines[1].strip())
        if paragraphs and headed:
            break
        if headed:  # a title over the text
            lines = lines[2:]
            first = lines[0].strip() if lines else ""
        if first.startswith((">>>", "+--", "|")) or _SECTION.fullmatch(first) or _FIELD.match(first):
            if paragraphs or _SECTION.fullmatch(first):
                break
            continue
        kept: list[str] = []
        for line in lines:  # a field list may follow without an empty line
            stop = _FIELD.match(line.strip()) or _SECTION.fullmatch(line.strip()) or line.strip().startswith(">>>")
            if stop and kept:
                break
            kept.append(line)
        if kept:
            paragraphs.append("\n".join(kept))
        if sum(map(len, paragraphs)) > TEXT_LIMIT or len(kept) < len(lines):
            break
    return paragraphs


def _plain(paragraph: str) -> str:
    text = _ROLE.sub(lambda found: found[1].rsplit(".", 1)[-1], paragraph)
    text = _CODE.sub(lambda found: found[1] or found[2] or "", text)
    text = re.sub(r"\*\*(.+?)\*\*", r"\1", text)
    return " ".join(text.split()).removesuffix("::").strip()


def _cut(text: str, limit: int) -> str:
    """``text``, or as much of it as ``limit`` characters hold, ended at a word."""
    if len(text) <= limit:
        return text
    return text[: limit - 1].rsplit(None, 1)[0].rstrip(",;:") + "…"
