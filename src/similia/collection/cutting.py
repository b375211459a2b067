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
THERE = 0.5
"""The presence below which there is nothing; single hits of a query with more are judged by themselves."""


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


def cut(found: Search, hits: Hits, least: float) -> Cut:
    """Leave out the hits whose probability of relevance is below ``least``.

    Without judgments nothing is known of single hits: the answer is then whole, or empty where probably nothing is
    there. An item that holds every word of the query that says anything is always something on it.
    """
    if not found.asked.text or found.own.size:
        found.notes.append("nothing was cut: relevance is known of queries in words alone")
        return Cut(hits)
    vector = found.as_vector()
    relevance = None if vector is None else Relevance.of(found.state, found.row)
    if vector is None or relevance is None:
        found.notes.append(
            f"nothing was cut: sense {found.row.name!r} has no encoder for text, or too few items to tell relevance by"
        )
        return Cut(hits)
    vectors = found.state.vectors(found.row)
    # By cosine alone, whatever is corrected: that is what was learnt from.
    nearest = vectors.search(vector, min(SEEN, max(found.total, 1)), allowed=found.allowed, recall=found.recall)
    exact = holds_all_words(found.state, found.asked.text, found.fields, where=found.predicate)
    seen = nearest.scores[0, :SEEN]
    present = 1.0 if exact else relevance.presence(seen, found.total)
    if present < min(least, THERE):
        found.notes.append(f"there seems to be nothing on this ({present:.0%}, {relevance.said})")
        return Cut(Hits.empty(1, hits.k), present, {}, relevance.said)
    ids = hits.ids[0][hits.ids[0] >= 0]
    cosines = cosine(vector, vectors.of(ids))[0] if ids.size else np.empty(0, np.float32)
    told = relevance.probabilities(cosines, seen, items=found.total, present=present)
    if told is None:
        found.notes.append("no hit was left out by itself: that takes judgments (similia judge)")
        return Cut(hits, present, None, relevance.said)
    kept = told >= least
    left = Hits(ids[None, kept], hits.scores[0][hits.ids[0] >= 0][None, kept])
    return Cut(left, present, dict(zip(ids[kept].tolist(), told[kept].tolist(), strict=True)), relevance.said)
