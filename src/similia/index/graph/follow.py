"""A graph that goes on with other rows: what is gone leaves, what is new is linked in, and nothing else is touched."""

from __future__ import annotations

import copy
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from similia.errors import InputError
from similia.index.exact import Float64
from similia.index.graph.coding import FITTED
from similia.index.graph.index import _OUTGROWN, GraphIndex
from similia.index.graph.rows import Rows
from similia.index.inputs import as_ids, as_stored, longest_of


def follow(
    graph: GraphIndex,
    vectors: npt.ArrayLike,
    ids: npt.ArrayLike,
    changed: npt.ArrayLike = (),
    *,
    lengths: Float64 | None = None,
) -> GraphIndex:
    """The graph of other vectors, most of which it knows by their ids; the one given stays as it is.

    It costs about as much as adding what is new, and is what a table needs that is written down anew from time to time
    with its rows in another order.

    Args:
        graph: of the vectors as they were; those may be gone already.
        vectors: float32 or float16 (n, d), all that there are now; kept as it is, not copied.
        ids: int64 (n,), of each; items that the graph has under other ids are removed.
        changed: ids that it has but whose vectors are others now.
        lengths: float64 (n,), those of the vectors, where they are known.

    Raises:
        InputError: a shape that does not fit, or ids that are not unique.

    Examples:
        >>> rows = np.random.default_rng(0).normal(size=(300, 16)).astype(np.float32)
        >>> graph = GraphIndex(rows[:200], ids=np.arange(200))
        >>> later = follow(graph, rows[100:], np.arange(100, 300), changed=[150])
        >>> len(later), later.search(rows[[299, 150]], k=1).ids.tolist()
        (200, [[299], [150]])
    """
    given = as_stored(vectors)
    named = as_ids(ids, len(given))
    order = np.argsort(named, kind="stable")
    rising = named[order]
    if (rising[1:] == rising[:-1]).any():
        raise InputError(f"ids hold {int(rising[1:][rising[1:] == rising[:-1]][0])} more than once")
    if given.shape[1] != graph.dimension:
        raise InputError(f"vectors have {given.shape[1]} dimensions; the graph has {graph.dimension}")
    rows = Rows(given, lengths)
    longest = longest_of(rows.norms, "vectors")
    known = graph.ids[graph._state.order]  # by node
    at = np.searchsorted(rising, known).clip(max=max(len(rising) - 1, 0))
    stays = graph._state.alive & ~np.isin(known, np.asarray(changed, np.int64))
    stays &= (rising[at] == known) if len(rising) else False
    later = copy.copy(graph)
    later._rows, later.ids, later._places = rows, named, None
    outgrown = graph._fitted < FITTED and len(given) > _OUTGROWN * graph._fitted
    if outgrown or not stays.any() or (graph.metric == "dot" and longest > graph._coder.longest):
        later._build(np.arange(len(given), dtype=np.int64), graph.metric, graph._dimensions)
        return later
    positions = order[at[stays]]
    later._state = replace(graph._state, links=np.array(graph._state.links), alive=stays)
    later._broken = len(stays) - len(positions)
    later._mend()
    later._state = replace(later._state.compact()[0], order=positions.astype(np.int64))
    fresh = np.ones(len(given), np.bool_)
    fresh[positions] = False
    added = np.flatnonzero(fresh)
    if len(added):
        later._link(added, rows.take(added))
    return later
