"""Which fields of an item are its title, its text and its facts: by name and type, the same on every page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

TITLES = ("title", "name", "heading", "headline", "subject", "label", "question", "caption")
BODIES = ("abstract", "summary", "description", "text", "body", "content", "doc", "answer", "comment")
FACTS = ("category", "date", "datetime", "boolean", "integer", "number", "list")
FACETS = ("category", "boolean", "list", "date", "datetime", "integer", "number")
COLOURS = ("category", "boolean", "date", "datetime", "integer", "number", "list")


@dataclass(frozen=True)
class Display:
    """How items of a collection are shown.

    Attributes:
        title: field that names an item; None where only the key does.
        body: field with the text that is excerpted.
        facts: short fields that stand below.
        facets: fields that a click can filter by.
        colours: fields that the map can be coloured by.

    Examples:
        >>> display_of({"id": "text", "title": "text", "abstract": "text", "area": "category", "v": "vector"})
        Display(title='title', body='abstract', facts=('area',), facets=('area',), colours=('area',))
    """

    title: str | None
    body: str | None
    facts: tuple[str, ...]
    facets: tuple[str, ...]
    colours: tuple[str, ...]


def display_of(fields: Mapping[str, str]) -> Display:
    """How items with these fields (name to type) are shown."""
    lowered = {name.lower(): name for name in fields}
    words = [name for name, kind in fields.items() if kind in ("text", "category")]
    named = [lowered[name] for name in TITLES if name in lowered and lowered[name] in words]
    title = named[0] if named else None
    bodies = [lowered[name] for name in BODIES if name in lowered and lowered[name] in words]
    rest = [name for name, kind in fields.items() if kind == "text" and name.lower() not in ("id", "key", title)]
    body = next((name for name in [*bodies, *rest] if name != title), None)

    def of(kinds: tuple[str, ...]) -> tuple[str, ...]:
        found = [name for name, kind in fields.items() if kind in kinds and name not in (title, body)]
        return tuple(name for name in found if name.lower() not in ("id", "key", "_key"))

    facts = sorted(of(FACTS), key=lambda name: FACTS.index(fields[name]))
    facets = sorted(of(FACETS), key=lambda name: FACETS.index(fields[name]))
    colours = sorted(of(COLOURS), key=lambda name: COLOURS.index(fields[name]))
    return Display(title, body, tuple(facts[:5]), tuple(facets[:8]), tuple(colours))


def title_of(item: Mapping[str, Any], display: Display, key: str, length: int = 160) -> str:
    """What an item is called, in at most ``length`` characters.

    Examples:
        >>> title_of({"title": "  A  thing "}, display_of({"title": "text"}), "k1")
        'A thing'
    """
    for name in (display.title, display.body):
        value = item.get(name) if name else None
        if isinstance(value, str) and (text := " ".join(value[: 4 * length].split())):
            return text if len(text) <= length else text[: length - 1] + "…"
    return key


def text_of(value: Any) -> str:
    """A field's value as people read it.

    Examples:
        >>> text_of(["a", 1]), text_of(True), text_of(None), text_of({"a": 1}), text_of(2.5)
        ('a, 1', 'yes', '', '{"a":1}', '2.5')
    """
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list) and all(isinstance(one, (str, int, float)) for one in value):
        return ", ".join(str(one) for one in value)
    if isinstance(value, (list, dict)):
        from similia.serve.answers import to_json

        return to_json(value).decode()
    return str(value)
