"""The report of an evaluation as one HTML file that needs nothing else: no script, no style sheet, no network.

`render` makes the text from data, `write` the file; `similia.evaluate.html.plots` draws what is in it, as SVG.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from similia._lazy import attach

if TYPE_CHECKING:
    from similia.evaluate.html.page import render as render
    from similia.evaluate.html.page import write as write

__getattr__, __dir__, __all__ = attach(__name__, {"render": ".page", "write": ".page"})
