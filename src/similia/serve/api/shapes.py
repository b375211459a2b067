"""Results, comparisons and maps as plain values for JSON."""

from __future__ import annotations

from collections.abc import Collection as Several
from typing import TYPE_CHECKING, Any

import numpy as np

from similia.errors import InputError
from similia.serve.display import display_of, title_of
from similia.serve.settings import MAX_POINTS

if TYPE_CHECKING:
    from similia.collection import Collection, Results

BATCH = 2_000


def only(item: dict[str, Any], fields: Several[str] | None) -> dict[str, Any]:
    """An item with only ``fields``, or all of it."""
    return item if fields is None else {name: item[name] for name in fields if name in item}


def results_shape(results: Results, fields: Several[str] | None = None) -> dict[str, Any]:
    """A `ResultsShown` of ``results``, its items with only ``fields`` if these are named."""
    hits = []
    for place, (key, score, item) in enumerate(zip(results.keys, results.scores.tolist(), results.items, strict=True)):
        ranks = {name: int(view.ranks[place]) for name, view in results.views.items()}
        asked_for: dict[str, Any] = {}
        if results.relevance is not None:
            asked_for["relevance"] = float(results.relevance[place])
        if results.evidence is not None:
            asked_for["evidence"] = [vars(one) for one in results.evidence[place]]
        hits.append(
            {
                "key": key,
                "score": score,
                "item": only(item, fields),
                "ranks": {name: rank if rank > 0 else None for name, rank in ranks.items()},
                "scores": {
                    name: float(view.scores[place]) if ranks[name] > 0 else None for name, view in results.views.items()
                },
                **asked_for,
            }
        )
    return {
        "query": results.query,
        "sense": results.sense,
        "mode": results.mode,
        "note": results.note,
        "k": results.k,
        "offset": results.offset,
        "total": results.total,
        "seconds": round(results.seconds, 6),
        "weights": dict(results.weights),
        **({} if results.presence is None else {"presence": results.presence}),
        **({"calibrated": results.calibrated} if results.calibrated else {}),
        "hits": hits,
    }


def layout_shape(collection: Collection, sense: str, colour: str | None) -> dict[str, Any]:
    """A `LayoutShown` of at most `MAX_POINTS` points, spread evenly over the collection.

    Raises:
        UnknownSense: there is no such sense.
        InputError: ``colour`` is not a field.
    """
    fields = collection.fields
    if colour is not None and colour not in fields:
        raise InputError(f"there is no field {colour[:80]!r} to colour by; there are: {', '.join(fields)[:400]}")
    layout = collection.layout(sense)
    total = len(layout.keys)
    shown = np.unique(np.linspace(0, total - 1, min(total, MAX_POINTS)).astype(np.int64)) if total else np.arange(0)
    keys = [layout.keys[place] for place in shown.tolist()]
    display = display_of(fields)
    titles: list[str] = []
    values: list[Any] = []
    for start in range(0, len(keys), BATCH):
        part = keys[start : start + BATCH]
        for key, item in zip(part, collection.get(part), strict=True):
            titles.append(title_of(item, display, key, 100))
            value = item.get(colour) if colour else None
            values.append(value[0] if isinstance(value, list) and value else None if isinstance(value, list) else value)
    xy = np.round(np.asarray(layout.xy, dtype=np.float64)[shown], 4)
    return {
        "sense": sense,
        "total": total,
        "keys": keys,
        "titles": titles,
        "x": xy[:, 0].tolist() if total else [],
        "y": xy[:, 1].tolist() if total else [],
        "field": colour,
        "type": fields[colour] if colour else None,
        "values": values if colour else None,
    }
