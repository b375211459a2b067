"""Speed: ours and other libraries' similarity search, on the same vectors, in one process, at equal recall.

`compare` runs the systems by turns and measures processor time a query; `plot` draws recall against speed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from similia._lazy import attach

if TYPE_CHECKING:
    from similia.evaluate.speed.comparing import Comparison as Comparison
    from similia.evaluate.speed.comparing import Measured as Measured
    from similia.evaluate.speed.comparing import Point as Point
    from similia.evaluate.speed.comparing import compare as compare
    from similia.evaluate.speed.drawing import plot as plot
    from similia.evaluate.speed.systems import Maker as Maker
    from similia.evaluate.speed.systems import System as System

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "Comparison": ".comparing",
        "Maker": ".systems",
        "Measured": ".comparing",
        "Point": ".comparing",
        "System": ".systems",
        "compare": ".comparing",
        "plot": ".drawing",
    },
)
