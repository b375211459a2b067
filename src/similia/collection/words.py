"""The words of an item as the full-text index sees them: which are rare, and which two items share."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from similia.collection.workspace import State

_WORD = re.compile(r"[^\W_]+")
_CHARACTERS = 20_000
_WORDS = 600
FEW = 5
"""Among so few items or fewer every shared word counts."""


@dataclass(frozen=True)
class Term:
    """A word: as written, its stem, and in how many items the stem stands."""

    word: str
    stem: str
    items: int


def text_of(record: Mapping[str, Any], fields: Iterable[str]) -> str:
    """The text of some fields of a record, one a line."""
    from similia.encode.template import plain

    return "\n".join(filter(None, (plain(record.get(name)) for name in fields)))


def terms(state: State, text: str) -> dict[str, Term]:
    """The different words of a text by stem, in the order of their first appearance, with how many items hold each."""
    words = list(dict.fromkeys(match.casefold() for match in _WORD.findall(text[:_CHARACTERS])))[:_WORDS]
    found: dict[str, Term] = {}
    for word in words:
        for stem, items in state.store.term_statistics(word)[1].items():
            found.setdefault(stem, Term(word, stem, items))
    return found


def rarest(state: State, item: int, fields: Sequence[str], count: int) -> str:
    """The ``count`` rarest words of an item that other items have too, as a query."""
    record = state.store.records(np.array([item], np.int64))[0]
    shared = [term for term in terms(state, text_of(record, fields)).values() if term.items > 1]
    shared.sort(key=lambda term: term.items)
    return " ".join(term.word for term in shared[:count])


def common(state: State, left: str, right: str, count: int) -> list[tuple[str, float]]:
    """The words that two texts share, by inverse document frequency ln(1 + (N - n + 1/2) / (n + 1/2)), best first.

    Words of half of all items or more say nothing and are left out.
    """
    ours, theirs = terms(state, left), terms(state, right)
    total = max(state.store.count(), 1)
    weighted = [
        (term.word, math.log1p((total - term.items + 0.5) / (term.items + 0.5)))
        for stem, term in ours.items()
        if stem in theirs and (2 * term.items < total or total <= FEW)
    ]
    return sorted(weighted, key=lambda pair: -pair[1])[:count]
