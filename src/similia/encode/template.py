"""From a record with fields to the one text that is encoded."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from similia.errors import InputError


@dataclass(frozen=True)
class FieldTemplate:
    r"""The text of a record: its fields in the order given, one a line, empty ones left out.

    A list gives its parts joined by ", ", an object its JSON, a date its ISO form. None, NaN, empty lists and strings
    of white space count as empty. ``labelled`` writes each field's name before its value ("year: 2021"), which helps
    where values do not speak for themselves.

    Attributes:
        fields: the names of the fields, at least one.
        labelled: whether each line starts with the field's name.

    Examples:
        >>> FieldTemplate(("title", "abstract")).render({"title": "On fire", "abstract": None, "year": 1801})
        'On fire'
        >>> FieldTemplate(("title", "tags"), labelled=True).render({"title": "On fire", "tags": ["heat", "light"]})
        'title: On fire\ntags: heat, light'
    """

    fields: Sequence[str]
    labelled: bool = False

    def __post_init__(self) -> None:
        names = (self.fields,) if isinstance(self.fields, str) else tuple(self.fields)
        if not names:
            raise InputError("a template needs at least one field")
        if len(set(names)) < len(names):
            raise InputError(f"fields {', '.join(names)}: a field is named twice")
        object.__setattr__(self, "fields", names)

    def render(self, record: Mapping[str, Any]) -> str:
        """The text of one record; a field that the record lacks is empty."""
        lines = []
        for field in self.fields:
            value = plain(record.get(field))
            if value:
                lines.append(f"{field}: {value}" if self.labelled else value)
        return "\n".join(lines)


def plain(value: Any) -> str:
    """A field's value as text; "" for what is empty.

    Examples:
        >>> plain(["a", None, ["b", 2.5]]), plain(float("nan")), plain({"k": 1})
        ('a, b, 2.5', '', '{"k": 1}')
    """
    if isinstance(value, str):
        return value.strip()
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    if isinstance(value, Mapping):
        return json.dumps(value, ensure_ascii=False, default=str) if value else ""
    if isinstance(value, list | tuple | set | frozenset):
        parts = sorted(map(plain, value)) if isinstance(value, set | frozenset) else map(plain, value)
        return ", ".join(part for part in parts if part)
    if hasattr(value, "isoformat"):
        return str(value.isoformat())
    return str(value)
