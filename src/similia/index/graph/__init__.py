"""Graph: the nearest items by walking from neighbour to neighbour, over short codes.

`GraphIndex` finds nearly all of the most similar items at a small part of the cost of comparing everything. Its files:
`coding` (vectors to codes of bytes), `cluster` and `build` (the links), `prune` (which links a node keeps), `walk` (the
search), `rescore` (exact scores of what was found), `update` (add and remove), `reach` (no node without a way to it).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from similia._lazy import attach

if TYPE_CHECKING:
    from similia.index.graph.index import GraphIndex as GraphIndex

__getattr__, __dir__, __all__ = attach(__name__, {"GraphIndex": ".index"})
