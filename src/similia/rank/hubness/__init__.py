"""Correct hubness: items that are near to every query give way, by a bias an item that is learnt from a bank.

`HubnessCorrector` makes the bias and applies it; `choose_corrector` picks among settings on validation queries.
How uneven a search is, `similia.measure.hubness` says.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from similia._lazy import attach

if TYPE_CHECKING:
    from similia.rank.hubness.choosing import Choice as Choice
    from similia.rank.hubness.choosing import Trial as Trial
    from similia.rank.hubness.choosing import choose_corrector as choose_corrector
    from similia.rank.hubness.choosing import correctors_of as correctors_of
    from similia.rank.hubness.corrector import HubnessCorrector as HubnessCorrector
    from similia.rank.hubness.corrector import Kind as Kind

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "Choice": ".choosing",
        "HubnessCorrector": ".corrector",
        "Kind": ".corrector",
        "Trial": ".choosing",
        "correctors_of": ".choosing",
        "choose_corrector": ".choosing",
    },
)
