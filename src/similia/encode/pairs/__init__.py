"""Pairs: models that read two texts together and say how well they fit, one score a pair.

Such a model (a cross-encoder) sees how the words of both texts meet, which vectors that were made apart cannot; and it
must be run for every pair, so it re-ranks the few best hits of a search instead of making the search::

    from similia.encode.pairs import load_pair

    model = load_pair("/models/my-cross-encoder")
    model.score(["how tall is the tower"] * 2, ["It is 300 m high.", "It was built in 1889."])
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from similia._lazy import attach

if TYPE_CHECKING:
    from similia.encode.pairs.base import PairEncoder as PairEncoder
    from similia.encode.pairs.cross import CrossEncoder as CrossEncoder
    from similia.encode.pairs.cross import PairSettings as PairSettings
    from similia.encode.pairs.loading import load_pair as load_pair
    from similia.encode.pairs.pytorch import TorchCrossEncoder as TorchCrossEncoder

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "CrossEncoder": ".cross",
        "PairEncoder": ".base",
        "PairSettings": ".cross",
        "TorchCrossEncoder": ".pytorch",
        "load_pair": ".loading",
    },
)
