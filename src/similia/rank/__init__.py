"""Rank: from candidates to an answer.

* Fuse: `fuse` makes one ranking of several (dense and full text, several senses, several queries);
  `steepness_weights` and `adaptive_weights` say for each query how much each counts; `mmr` picks hits that do not
  repeat each other.
* Compose: `ComposedQuery`, `compose` and `search_composed` look for several things at once, and for what is unlike
  others.
* Calibrate: `Calibrator` learns from judgments how likely a hit is relevant, `UnlabelledCalibrator` estimates without
  any whether a collection holds something on a query at all.
* Correct: `HubnessCorrector` takes from each item what it owes to being near to everything; `choose_corrector` tells
  whether that helps.
* Explain: `Locator` finds the sentences and words that made a hit.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from similia._lazy import attach

if TYPE_CHECKING:
    from similia.rank.adaptive import adaptive_weights as adaptive_weights
    from similia.rank.calibration import EVERYDAY as EVERYDAY
    from similia.rank.calibration import Calibrator as Calibrator
    from similia.rank.calibration import UnlabelledCalibrator as UnlabelledCalibrator
    from similia.rank.calibration import score_features as score_features
    from similia.rank.calibration import tail_units as tail_units
    from similia.rank.calibration import word_salads as word_salads
    from similia.rank.composed_search import ComposedHits as ComposedHits
    from similia.rank.composed_search import search_composed as search_composed
    from similia.rank.composing import ComposedQuery as ComposedQuery
    from similia.rank.composing import ScoreRange as ScoreRange
    from similia.rank.composing import compose as compose
    from similia.rank.enriching import contextualise as contextualise
    from similia.rank.enriching import expand as expand
    from similia.rank.fusion import fuse as fuse
    from similia.rank.hubness import HubnessCorrector as HubnessCorrector
    from similia.rank.hubness import choose_corrector as choose_corrector
    from similia.rank.hubness import correctors_of as correctors_of
    from similia.rank.locating import Evidence as Evidence
    from similia.rank.locating import Locator as Locator
    from similia.rank.mmr import mmr as mmr
    from similia.rank.spans import sentence_spans as sentence_spans
    from similia.rank.steepness import steepness_weights as steepness_weights

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "Calibrator": ".calibration",
        "ComposedHits": ".composed_search",
        "ComposedQuery": ".composing",
        "EVERYDAY": ".calibration",
        "Evidence": ".locating",
        "HubnessCorrector": ".hubness",
        "Locator": ".locating",
        "ScoreRange": ".composing",
        "UnlabelledCalibrator": ".calibration",
        "adaptive_weights": ".adaptive",
        "choose_corrector": ".hubness",
        "compose": ".composing",
        "contextualise": ".enriching",
        "correctors_of": ".hubness",
        "expand": ".enriching",
        "fuse": ".fusion",
        "mmr": ".mmr",
        "score_features": ".calibration",
        "search_composed": ".composed_search",
        "sentence_spans": ".spans",
        "steepness_weights": ".steepness",
        "tail_units": ".calibration",
        "word_salads": ".calibration",
    },
)
