"""Filtered search: the families of methods that published studies compare, as strategies of one index.

"The nearest papers in cs.CL after 2020" needs vectors and attributes, and which method needs the fewest distances
depends on how many items pass and on how what passes lies to the query. `FilteredIndex` builds the strategies that it
is given, measures them, and takes the cheapest that serves a filter:

| strategy | serves | how |
| --- | --- | --- |
| `Scan` | every filter | compares all that passes |
| `Post` | every filter | fetches more than asked for, and drops what does not pass |
| `Inside` | every filter | walks over all items, and keeps what passes |
| `Acorn` | every filter | walks over what passes, looking through what does not |
| `Range` | one range of one ordered column | graphs of halves of the order, put together |
| `Labels` | ``=``, IN and contains on its columns | a graph stitched from one for each value |
| `Clusters` | ``=`` on its columns, and AND of these | coarse clusters, parted by frequent values |
| `Fused` | ``=`` on all of its columns | a graph of vectors and attributes together |
| `Containment` | contains on its column, and AND of these | groups of equal sets, linked to larger ones |

Its other files: `columns` (what passes), `space` (any metric as a distance), `walk` (the one kernel of all walks),
`links` and `halves` (building), `planning` and `measuring` (choosing), `ways` (what all strategies share).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from similia._lazy import attach

if TYPE_CHECKING:
    from similia.index.filtered.clusters import Clusters as Clusters
    from similia.index.filtered.containment import Containment as Containment
    from similia.index.filtered.fused import Fused as Fused
    from similia.index.filtered.index import Answer as Answer
    from similia.index.filtered.index import FilteredIndex as FilteredIndex
    from similia.index.filtered.labels import Labels as Labels
    from similia.index.filtered.ranges import Range as Range
    from similia.index.filtered.walks import Acorn as Acorn
    from similia.index.filtered.walks import Inside as Inside
    from similia.index.filtered.walks import Post as Post
    from similia.index.filtered.walks import Scan as Scan

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "Acorn": ".walks",
        "Answer": ".index",
        "Clusters": ".clusters",
        "Containment": ".containment",
        "FilteredIndex": ".index",
        "Fused": ".fused",
        "Inside": ".walks",
        "Labels": ".labels",
        "Post": ".walks",
        "Range": ".ranges",
        "Scan": ".walks",
    },
)
