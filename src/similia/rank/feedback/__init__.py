"""Feedback: the query moves towards what a first search found, and what was found is scored again.

`rocchio` and `Rocchio` need no training; `FeedbackQuery` is trained on the rankings of a teacher. Both make one new
vector a query out of vectors that are there already: nothing is encoded. `feedback_search` searches with it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from similia._lazy import attach

if TYPE_CHECKING:
    from similia.rank.feedback.expansion import Expansion as Expansion
    from similia.rank.feedback.expansion import Rocchio as Rocchio
    from similia.rank.feedback.expansion import rocchio as rocchio
    from similia.rank.feedback.losses import info_nce as info_nce
    from similia.rank.feedback.losses import rank_net as rank_net
    from similia.rank.feedback.searching import expand_queries as expand_queries
    from similia.rank.feedback.searching import feedback_search as feedback_search
    from similia.rank.feedback.trained import FeedbackQuery as FeedbackQuery

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "Expansion": ".expansion",
        "FeedbackQuery": ".trained",
        "Rocchio": ".expansion",
        "expand_queries": ".searching",
        "feedback_search": ".searching",
        "info_nce": ".losses",
        "rank_net": ".losses",
        "rocchio": ".expansion",
    },
)
