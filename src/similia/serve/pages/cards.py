"""Results as cards: a title, an excerpt with marked words, facts, a bar, and why it was found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from similia.serve.display import Display, text_of, title_of
from similia.serve.highlight import Piece, excerpt, mark, spans, surroundings, terms_of

if TYPE_CHECKING:
    from similia.collection import Results
    from similia.rank import Evidence

SPEAKING = 3
"""Sentences that are asked for, so that there is one beside the title, which stands on the card anyway."""

VIEWS = {"dense": "meaning", "text": "words"}


@dataclass(frozen=True)
class Why:
    """What one view has found: its place there, from 1, and the score; None where it has not found the item."""

    view: str
    rank: int | None
    score: float | None
    weight: float


@dataclass(frozen=True)
class Speaking:
    """The sentence that speaks for a result, what stands around it, and its field where that is not the usual one."""

    before: str
    sentence: list[Piece]
    after: str
    field: str


@dataclass(frozen=True)
class Card:
    """One result, ready to show.

    ``bar`` is its score in percent of the best one of the page; ``relevance`` its probability, where that is known;
    ``grade`` what somebody said of it on this page.
    """

    key: str
    place: int
    title: list[Piece]
    text: list[Piece]
    facts: list[tuple[str, str]]
    score: float | None
    bar: float
    why: list[Why]
    speaking: Speaking | None = None
    relevance: float | None = None
    grade: float | None = None


def facts_of(item: Mapping[str, Any], display: Display) -> list[tuple[str, str]]:
    """The short fields of an item that has them.

    Examples:
        >>> from similia.serve.display import display_of
        >>> facts_of({"n": 3, "area": None}, display_of({"n": "integer", "area": "category"}))
        [('n', '3')]
    """
    shown = ((name, text_of(item.get(name))) for name in display.facts)
    return [(name, text if len(text) <= 60 else text[:59] + "…") for name, text in shown if text]


def speaking_of(item: Mapping[str, Any], display: Display, evidence: Sequence[Evidence]) -> Speaking | None:
    """The first sentence of ``evidence`` that says something and is not in the title; None where there is none."""
    for one in evidence:
        text = item.get(one.field)
        if one.field == display.title or one.score <= 0 or not isinstance(text, str):
            continue
        before, after = surroundings(text, one.start, one.stop)
        field = "" if one.field == display.body else one.field
        return Speaking(before, spans(text, one.start, one.stop, one.words), after, field)
    return None


def cards_of(results: Results, display: Display, query: str, grades: Mapping[str, float] | None = None) -> list[Card]:
    """The results as cards, with the words of ``query`` marked.

    Args:
        results: of a search.
        display: how items are shown.
        query: "" marks nothing.
        grades: key -> grade, where some are judged.
    """
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
        shown = card(key, item, display, terms, results.offset + place + 1, score, best, why)
        cards.append(
            replace(
                shown,
                speaking=speaking_of(item, display, results.evidence[place]) if results.evidence else None,
                relevance=None if results.relevance is None else float(results.relevance[place]),
                grade=(grades or {}).get(key),
            )
        )
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
