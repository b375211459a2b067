"""Which sentences of the items speak for them, in the fields that the sense reads."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from similia.collection.searching import Search
from similia.collection.words import text_of

if TYPE_CHECKING:
    from similia.rank import Evidence


def located(found: Search, items: Sequence[Mapping[str, Any]], most: int) -> list[list[Evidence]]:
    """At most ``most`` sentences of each item, those that say most of what was asked first."""
    from similia.rank import Locator

    state, asked = found.state, found.asked
    names = [name for name in found.definition.fields if name in state.fields] or list(state.fields)
    texts = [{name: value for name in names if isinstance(value := item.get(name), str)} for item in items]
    query, vector = asked.text, found.vector
    if not query and asked.like:
        query = text_of(state.store.records(found.wanted[:1])[0], names)
    total, counts = state.store.term_statistics(query)
    idf = {stem: math.log(max(total, 1) / max(count, 1)) for stem, count in counts.items()}
    encoder = state.space.encoder_of(found.row) if found.mode != "text" else None
    by_vector = encoder is not None and (not asked.text or vector is None)
    locator = Locator(encoder, idf or None, "vectors" if by_vector and vector is not None else None)
    return locator.locate(query, texts, vector=None if vector is None else vector[0], most=most)
