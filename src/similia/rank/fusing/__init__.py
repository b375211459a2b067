"""Fusing: a query reads an item token by token, and what it reads of says where in the item the answer is.

`CrossFusion` is one trained block of cross-attention over the token vectors of a frozen encoder; `Localizer` makes
scores of spans out of its attention; `FusedLocator` finds the sentences of items with both.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from similia._lazy import attach

if TYPE_CHECKING:
    from similia.rank.fusing.fusion import CrossFusion as CrossFusion
    from similia.rank.fusing.fusion import Fused as Fused
    from similia.rank.fusing.localizer import Localizer as Localizer
    from similia.rank.fusing.locator import FusedLocator as FusedLocator
    from similia.rank.fusing.tokens import PlacedTokens as PlacedTokens
    from similia.rank.fusing.tokens import place_tokens as place_tokens
    from similia.rank.fusing.tokens import token_spans as token_spans

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "CrossFusion": ".fusion",
        "Fused": ".fusion",
        "FusedLocator": ".locator",
        "Localizer": ".localizer",
        "PlacedTokens": ".tokens",
        "place_tokens": ".tokens",
        "token_spans": ".tokens",
    },
)
