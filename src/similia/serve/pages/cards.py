"""Results as cards: a title, an excerpt with marked words, facts, a bar, and why it was found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from similia.serve.display import Display, text_of, title_of
from similia.serve.highlight import Piece, excerpt, mark, terms_of

if TYPE_CHECKING:
    from similia.collection import Results

VIEWS = {"dense": "meaning", "text": "words"}


@dataclass(frozen=True)
class Why:
    """What one view has found: its place there, from 1, and the score; None where it has not found the item."""

    view: str
    rank: int | None
    score: float | None
    weight: float


@dataclass(frozen=True)
class Card:
    """One result, ready to show. ``bar`` is its score in percent of the best one of the page."""

    key: str
    place: int
    title: list[Piece]
    text: list[Piece]
    facts: list[tuple[str, str]]
    score: float | None
    bar: float
    why: list[Why]


def facts_of(item: Mapping[str, Any], display: Display) -> list[tuple[str, str]]:
    """The short fields of an item that has them.

    Examples:
        >>> from similia.serve.display import display_of
        >>> facts_of({"n": 3, "area": None}, display_of({"n": "integer", "area": "category"}))
        [('n', '3')]
    """
    shown = ((name, text_of(item.get(name))) for name in display.facts)
    return [(name, text if len(text) <= 60 else text[:59] + "…") for name, text in shown if text]


def cards_of(results: Results, display: Display, query: str) -> list[Card]:
    """The results as cards, with the words of ``query`` marked."""
    terms = terms_of(query) if query else frozenset()
    scores = results.scores.tolist()
    best = max([score for score in scores if score > 0], default=0.0)
    cards = []
    for place, (key, score, item) in enumerate(zip(results.keys, scores, results.items, strict=True)):
        why = []
        for name, view in results.views.items():
            rank = int(view.ranks[place])
            weight = float(results.weights.get(name, 1.0))
            found = rank > 0
            why.append(
                Why(
                    VIEWS.get(name, name), rank if found else None, float(view.scores[place]) if found else None, weight
                )
            )
        cards.append(card(key, item, display, terms, results.offset + place + 1, score, best, why))
    return cards


def card(
    key: str,
    item: Mapping[str, Any],
    display: Display,
    terms: frozenset[str],
    place: int,
    score: float | None = None,
    best: float = 0.0,
    why: list[Why] | None = None,
) -> Card:
    """One item as a card."""
    body = item.get(display.body) if display.title and display.body else None
    return Card(
        key=key,
        place=place,
        title=mark(title_of(item, display, key), terms),
        text=excerpt(body, terms) if isinstance(body, str) and body.strip() else [],
        facts=facts_of(item, display),
        score=score,
        bar=0.0 if score is None or best <= 0 else max(0.0, min(100.0, 100.0 * score / best)),
        why=why or [],
    )
