"""Atlas: published systems, each composed from the rooms and run on real data, with a verdict for every claim.

    >>> from similia import atlas
    >>> [info.name for info in atlas.systems()][:2]
    ['ANNCUR', 'Lbl2TransformerVec']

``atlas.run(46)`` runs one and writes its numbers; ``atlas.results()`` reads them; ``atlas.report(results, "a.html")``
makes a page. A claim that does not hold is reported as such.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from similia._lazy import attach

if TYPE_CHECKING:
    from similia.atlas.registry import Settings as Settings
    from similia.atlas.registry import SystemInfo as SystemInfo
    from similia.atlas.registry import systems as systems
    from similia.atlas.report import table as table
    from similia.atlas.report import to_markdown as to_markdown
    from similia.atlas.result import Claim as Claim
    from similia.atlas.result import Result as Result
    from similia.atlas.run import results as results

from similia.atlas.report import report as report
from similia.atlas.run import run as run

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "Claim": ".result",
        "Result": ".result",
        "Settings": ".registry",
        "SystemInfo": ".registry",
        "report": ".report",
        "results": ".run",
        "run": ".run",
        "systems": ".registry",
        "table": ".report",
        "to_markdown": ".report",
    },
)
