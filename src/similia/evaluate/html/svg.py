"""The pieces that plots in a page are made of: SVG text that takes its ink from the page and its hues from here."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

# Twelve hues that stay apart for most kinds of colour blindness when neighbours differ; the last is for "all others".
PALETTE = (
    "#4477aa", "#ee6677", "#228833", "#ccbb44", "#66ccee", "#aa3377", "#ee8866", "#44bb99", "#7b5fd3", "#99774d",
    "#d65fa0", "#9aa3ad",
)  # fmt: skip
WIDE = 960
"""Width of a plot over the whole page."""
HALF = 440
"""Width of plots that stand two in a row."""


def colours(count: int) -> list[str]:
    """One colour for each of ``count`` groups; those beyond the palette share the last.

    Examples:
        >>> colours(2)
        ['#4477aa', '#ee6677']
    """
    return [PALETTE[min(place, len(PALETTE) - 1)] for place in range(count)]


def short(name: str, limit: int = 24) -> str:
    """A name that fits beside a plot."""
    return name if len(name) <= limit else name[: limit - 1] + "…"


def svg(parts: Sequence[str], height: float, label: str, width: int = WIDE) -> str:
    """A drawing; ``label`` says what it shows to readers who do not see it."""
    kind = "plot wide" if width == WIDE else "plot"
    return (
        f'<svg viewBox="0 0 {width} {height:.0f}" role="img" aria-label="{escape(label)}" class="{kind}">'
        f"{''.join(parts)}</svg>"
    )


def text(x: float, y: float, words: str, *, anchor: str = "start", small: bool = True) -> str:
    """Words, escaped."""
    kind = ' class="small"' if small else ""
    side = "" if anchor == "start" else f' text-anchor="{anchor}"'
    return f'<text x="{x:.1f}" y="{y:.1f}"{side}{kind}>{escape(words)}</text>'


def rectangle(x: float, y: float, width: float, height: float, fill: str, title: str = "") -> str:
    """A bar, with a title that shows when it is pointed at."""
    inside = f"<title>{escape(title)}</title>" if title else ""
    size = f'width="{max(width, 0.5):.1f}" height="{max(height, 0.5):.1f}"'
    return f'<rect x="{x:.1f}" y="{y:.1f}" {size} fill="{fill}">{inside}</rect>'


def line(x1: float, y1: float, x2: float, y2: float, kind: str = "axis") -> str:
    """A straight line; ``kind`` is its class: axis or faint."""
    return f'<path d="M{x1:.1f},{y1:.1f}L{x2:.1f},{y2:.1f}" class="{kind}"/>'


def legend(names: Sequence[str], x: float, y: float) -> list[str]:
    """Names with the colours that stand for them, in one row."""
    parts = []
    for name, fill in zip(names, colours(len(names)), strict=True):
        parts.append(f'<rect x="{x:.0f}" y="{y:.0f}" width="11" height="11" rx="2" fill="{fill}"/>')
        parts.append(text(x + 16, y + 10, short(name)))
        x += 34 + 7 * len(short(name))
    return parts
