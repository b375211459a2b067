"""What the report draws of a collection: its map, and how alike things are in each sense."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from similia.demo.story import Points, Spread
from similia.demo.subject import Subject

if TYPE_CHECKING:
    from similia.collection import Collection

COLOURED = 11  # groups with a colour of their own on the map
SAMPLE = 120  # items whose nearest neighbour the histogram shows
ANCHORS, OTHERS = 25, 60  # random pairs: so many items with so many others each
BATCH = 2_000
SEED = 0


def points(collection: Collection, subject: Subject, counts: Mapping[str, Mapping[str, int]]) -> Points:
    """The map in the sense ``topic``: the largest groups of ``counts`` by name, the rest as "others"."""
    layout = collection.layout()
    notes, groups = [], []
    for start in range(0, len(layout.keys), BATCH):
        for item in collection.get(layout.keys[start : start + BATCH]):
            notes.append(subject.note(item))
            groups.append(str(item.get(subject.group, "?")))
    largest = sorted(counts, key=lambda name: -sum(counts[name].values()))
    named = largest if len(largest) <= COLOURED + 1 else [*largest[:COLOURED], "others"]
    number = {name: place for place, name in enumerate(named)}
    group = [number.get(name, len(named) - 1) for name in groups]
    return Points(list(layout.keys), notes, layout.xy, group, named)


def spreads(collection: Collection, subject: Subject, keys: Sequence[str]) -> dict[str, Spread]:
    """Cosines of random pairs, and of items with their nearest neighbour, by sense; none for fewer than two items."""
    if len(keys) < 2:
        return {}
    rng = np.random.default_rng(SEED)
    every = np.asarray(keys, dtype=object)
    sample = every[rng.choice(len(every), min(SAMPLE, len(every)), replace=False)]
    found = {}
    for name in collection.senses:
        nearest = [score for key in sample for score in collection.similar(key, sense=name, k=1).scores]
        random: list[float] = []
        for key in sample[:ANCHORS]:
            some = ", ".join("'" + str(one).replace("'", "''") + "'" for one in rng.choice(every, OTHERS))
            random.extend(collection.similar(key, sense=name, where=f"{subject.key} IN ({some})", k=OTHERS).scores)
        found[name] = Spread(np.asarray(random, np.float32), np.asarray(nearest, np.float32))
    return found
