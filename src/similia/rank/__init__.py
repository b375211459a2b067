"""Rank: from candidates to an answer.

`fuse` makes one ranking of several (dense and full text, several senses, several queries); `steepness_weights` and
`adaptive_weights` say for each query how much each should count; `mmr` picks hits that do not repeat each other.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from similia._lazy import attach

if TYPE_CHECKING:
    from similia.rank.adaptive import adaptive_weights as adaptive_weights
    from similia.rank.fusion import fuse as fuse
    from similia.rank.mmr import mmr as mmr
    from similia.rank.steepness import steepness_weights as steepness_weights

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "adaptive_weights": ".adaptive",
        "fuse": ".fusion",
        "mmr": ".mmr",
        "steepness_weights": ".steepness",
    },
)
