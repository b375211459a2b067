"""Multi-vector search: items that are sets of vectors, such as the tokens of a text.

`MultiVectorIndex` compares all of them exactly, or looks at single vectors first that `FixedDimensionalEncoder` makes
of each set, and re-ranks what those find.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from similia._lazy import attach

if TYPE_CHECKING:
    from similia.index.multivector.fde import FixedDimensionalEncoder as FixedDimensionalEncoder
    from similia.index.multivector.index import MultiVectorIndex as MultiVectorIndex

__getattr__, __dir__, __all__ = attach(__name__, {"FixedDimensionalEncoder": ".fde", "MultiVectorIndex": ".index"})
