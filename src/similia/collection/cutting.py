"""Where an answer ends: what is probably not relevant is left out, and everything if there is nothing on the query."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from similia.collection.relevance import Relevance, holds_all_words
from similia.collection.searching import Search
from similia.measure import cosine
from similia.types import Hits

SEEN = 100
"""The nearest items that tell whether there is anything on a query."""


@dataclass(frozen=True, eq=False)
class Cut:
    """What is left of the hits of a search.

    Attributes:
        hits: (1, m), in the order that they had.
        presence: the probability that there is anything on the query; None where that is not known.
        relevance: item -> probability; None without judgments.
        said: what these were learnt from.
    """

    hits: Hits
    presence: float | None = None
    relevance: Mapping[int, float] | None = None
    said: str = ""


def cut(found: Search, hits: Hits, views: Mapping[str, Hits], least: float) -> Cut:
    """Leave out the hits whose probability of relevance is below ``least``.

    Without judgments nothing is known of single hits: the answer is then whole, or empty where the presence is below
    ``least``. An item that holds every word of the query that says anything is always something on it.
    """
    vector = found.as_vector()
    relevance = None if vector is None else Relevance.of(found.state, found.row)
    if vector is None or relevance is None:
        found.notes.append(
            f"nothing was cut: sense {found.row.name!r} has no encoder for text, or too few items to tell relevance by"
        )
        return Cut(hits)
    nearest = views.get("dense", Hits.empty(1, 0))
    if nearest.k < min(SEEN, found.total):
        nearest = found.nearest_to(vector, min(SEEN, max(found.total, 1)))
    text = found.asked.text
    exact = bool(text) and holds_all_words(found.state, text, found.fields, where=found.predicate)
    seen = nearest.scores[0, :SEEN]
    present = 1.0 if exact else relevance.presence(seen, found.total)
    if present < least:
        found.notes.append(f"there seems to be nothing on this ({present:.0%}, {relevance.said})")
        return Cut(Hits.empty(1, hits.k), present, {}, relevance.said)
    ids = hits.ids[0][hits.ids[0] >= 0]
    cosines = cosine(vector, found.state.vectors(found.row).of(ids))[0] if ids.size else np.empty(0, np.float32)
    told = relevance.probabilities(cosines, seen, items=found.total, present=present)
    if told is None:
        found.notes.append("no hit was left out by itself: that takes judgments (similia judge)")
        return Cut(hits, present, None, relevance.said)
    kept = told >= least
    left = Hits(ids[None, kept], hits.scores[0][hits.ids[0] >= 0][None, kept])
    return Cut(left, present, dict(zip(ids[kept].tolist(), told[kept].tolist(), strict=True)), relevance.said)
