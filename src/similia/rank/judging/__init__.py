"""Judging: who reads a query and the few best hits once more, and what it costs.

A `Judge` grades items for a query and orders them: a pair model (`PairJudge`), a language model behind any endpoint
that speaks OpenAI's chat protocol (`ChatJudge`), one on this machine (`LocalJudge`), or rules over components of the
query (`AspectJudge`). `CachedJudge` keeps what any of them said; `Budget` says what may be spent. A judge that fails
answers NaN or None and says so in its `Tally`; it never raises for what its model does::

    from similia.rank.judging import Budget, CachedJudge, ChatJudge

    judge = CachedJudge(ChatJudge("http://127.0.0.1:8080/v1", "qwen", budget=Budget(calls=200)), "judged.db")
    judge.order("two cats on a mat", ["one cat", "two cats, one mat", "a dog"])
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from similia._lazy import attach

if TYPE_CHECKING:
    from similia.rank.judging.aspects import AspectJudge as AspectJudge
    from similia.rank.judging.base import Judge as Judge
    from similia.rank.judging.base import Tally as Tally
    from similia.rank.judging.budget import Budget as Budget
    from similia.rank.judging.cache import CachedJudge as CachedJudge
    from similia.rank.judging.chat import ChatJudge as ChatJudge
    from similia.rank.judging.local import LocalJudge as LocalJudge
    from similia.rank.judging.mining import Negatives as Negatives
    from similia.rank.judging.mining import align_distributions as align_distributions
    from similia.rank.judging.mining import cyclic as cyclic
    from similia.rank.judging.mining import mine_negatives as mine_negatives
    from similia.rank.judging.pair import PairJudge as PairJudge
    from similia.rank.judging.permutation import average_order as average_order
    from similia.rank.judging.permutation import robust_permutation as robust_permutation
    from similia.rank.judging.quality import JudgeReport as JudgeReport
    from similia.rank.judging.quality import judge_report as judge_report

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "AspectJudge": ".aspects",
        "Budget": ".budget",
        "CachedJudge": ".cache",
        "ChatJudge": ".chat",
        "Judge": ".base",
        "JudgeReport": ".quality",
        "LocalJudge": ".local",
        "Negatives": ".mining",
        "PairJudge": ".pair",
        "Tally": ".base",
        "align_distributions": ".mining",
        "average_order": ".permutation",
        "cyclic": ".mining",
        "judge_report": ".quality",
        "mine_negatives": ".mining",
        "robust_permutation": ".permutation",
    },
)
