"""Rank: from candidates to an answer.

* Fuse: `blend` makes one ranking of meaning and words, as collections do; `fuse` one of any views (senses, queries);
  `adaptive_weights` says for each query how much its words count; `mmr` picks hits that do not repeat each other.
* Compose: `ComposedQuery`, `compose` and `search_composed` look for several things at once, and for what is unlike
  others.
* Calibrate: `Calibrator` learns from judgments how likely a hit is relevant, `UnlabelledCalibrator` estimates without
  any whether a collection holds something on a query at all.
* Correct: `HubnessCorrector` takes from each item what it owes to being near to everything; `choose_corrector` tells
  whether that helps.
* Re-rank: `rerank_by_judge` lets a `Judge` read the top: a cross-encoder (`PairJudge`), a language model behind an
  address (`ChatJudge`) or on this machine (`LocalJudge`), within a `Budget`, its answers kept (`CachedJudge`).
* Explain: `Locator` finds the sentences and words that made a hit.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from similia._lazy import attach

if TYPE_CHECKING:
    from similia.rank.adaptive import adaptive_weights as adaptive_weights
    from similia.rank.blending import Background as Background
    from similia.rank.blending import Blend as Blend
    from similia.rank.blending import blend as blend
    from similia.rank.blending import steepness as steepness
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
    from similia.rank.disagreement import Disagreement as Disagreement
    from similia.rank.disagreement import PseudoQuery as PseudoQuery
    from similia.rank.disagreement import mine_disagreement as mine_disagreement
    from similia.rank.disagreement import pseudo_queries as pseudo_queries
    from similia.rank.enriching import contextualise as contextualise
    from similia.rank.enriching import expand as expand
    from similia.rank.feedback import FeedbackQuery as FeedbackQuery
    from similia.rank.feedback import Rocchio as Rocchio
    from similia.rank.feedback import expand_queries as expand_queries
    from similia.rank.feedback import feedback_search as feedback_search
    from similia.rank.feedback import rocchio as rocchio
    from similia.rank.fusing import CrossFusion as CrossFusion
    from similia.rank.fusing import Fused as Fused
    from similia.rank.fusing import FusedLocator as FusedLocator
    from similia.rank.fusing import Localizer as Localizer
    from similia.rank.fusing import PlacedTokens as PlacedTokens
    from similia.rank.fusing import place_tokens as place_tokens
    from similia.rank.fusing import token_spans as token_spans
    from similia.rank.fusion import fuse as fuse
    from similia.rank.gate import Decision as Decision
    from similia.rank.gate import keep_better as keep_better
    from similia.rank.hubness import HubnessCorrector as HubnessCorrector
    from similia.rank.hubness import choose_corrector as choose_corrector
    from similia.rank.hubness import correctors_of as correctors_of
    from similia.rank.judging import AspectJudge as AspectJudge
    from similia.rank.judging import Budget as Budget
    from similia.rank.judging import CachedJudge as CachedJudge
    from similia.rank.judging import ChatJudge as ChatJudge
    from similia.rank.judging import Judge as Judge
    from similia.rank.judging import JudgeReport as JudgeReport
    from similia.rank.judging import LocalJudge as LocalJudge
    from similia.rank.judging import Negatives as Negatives
    from similia.rank.judging import PairJudge as PairJudge
    from similia.rank.judging import Tally as Tally
    from similia.rank.judging import align_distributions as align_distributions
    from similia.rank.judging import average_order as average_order
    from similia.rank.judging import cyclic as cyclic
    from similia.rank.judging import judge_report as judge_report
    from similia.rank.judging import mine_negatives as mine_negatives
    from similia.rank.judging import robust_permutation as robust_permutation
    from similia.rank.linear_head import LinearHead as LinearHead
    from similia.rank.listwise import Reranked as Reranked
    from similia.rank.listwise import rerank as rerank
    from similia.rank.locating import Evidence as Evidence
    from similia.rank.locating import Locator as Locator
    from similia.rank.mmr import mmr as mmr
    from similia.rank.spans import sentence_spans as sentence_spans
    from similia.rank.stages import rerank_by_judge as rerank_by_judge

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "AspectJudge": ".judging",
        "Background": ".blending",
        "Blend": ".blending",
        "Budget": ".judging",
        "CachedJudge": ".judging",
        "Calibrator": ".calibration",
        "ChatJudge": ".judging",
        "ComposedHits": ".composed_search",
        "ComposedQuery": ".composing",
        "CrossFusion": ".fusing",
        "Decision": ".gate",
        "Disagreement": ".disagreement",
        "EVERYDAY": ".calibration",
        "Evidence": ".locating",
        "FeedbackQuery": ".feedback",
        "Fused": ".fusing",
        "FusedLocator": ".fusing",
        "HubnessCorrector": ".hubness",
        "Judge": ".judging",
        "JudgeReport": ".judging",
        "LinearHead": ".linear_head",
        "LocalJudge": ".judging",
        "Localizer": ".fusing",
        "Locator": ".locating",
        "Negatives": ".judging",
        "PairJudge": ".judging",
        "PlacedTokens": ".fusing",
        "PseudoQuery": ".disagreement",
        "Reranked": ".listwise",
        "Rocchio": ".feedback",
        "ScoreRange": ".composing",
        "Tally": ".judging",
        "UnlabelledCalibrator": ".calibration",
        "adaptive_weights": ".adaptive",
        "align_distributions": ".judging",
        "average_order": ".judging",
        "blend": ".blending",
        "choose_corrector": ".hubness",
        "compose": ".composing",
        "contextualise": ".enriching",
        "correctors_of": ".hubness",
        "cyclic": ".judging",
        "expand": ".enriching",
        "expand_queries": ".feedback",
        "feedback_search": ".feedback",
        "fuse": ".fusion",
        "judge_report": ".judging",
        "keep_better": ".gate",
        "mine_disagreement": ".disagreement",
        "mine_negatives": ".judging",
        "mmr": ".mmr",
        "place_tokens": ".fusing",
        "pseudo_queries": ".disagreement",
        "rerank": ".listwise",
        "rerank_by_judge": ".stages",
        "robust_permutation": ".judging",
        "rocchio": ".feedback",
        "score_features": ".calibration",
        "search_composed": ".composed_search",
        "sentence_spans": ".spans",
        "steepness": ".blending",
        "tail_units": ".calibration",
        "token_spans": ".fusing",
        "word_salads": ".calibration",
    },
)
