"""Rank: from candidates to an answer.

`fuse` makes one ranking of several (dense and full text, several senses, several queries);
`adaptive_weights` says for each query how much its words should count; `mmr` picks hits that do not repeat
each other.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from similia._lazy import attach

if TYPE_CHECKING:
    from similia.rank.adaptive import adaptive_weights as adaptive_weights
    from similia.rank.fusion import fuse as fuse
    from similia.rank.mmr import mmr as mmr

__getattr__, __dir__, __all__ = attach(
    __name__,
    {"adaptive_weights": ".adaptive", "fuse": ".fusion", "mmr": ".mmr"},
)
