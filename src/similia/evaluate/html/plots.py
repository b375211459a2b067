"""The plots of an evaluation: means with intervals, recall by depth, differences, losses, probabilities."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from html import escape

from similia.evaluate.html.svg import HALF, PALETTE, WIDE, colours, legend, line, rectangle, short, svg, text

_LABEL = 150
_ROW = 24
_TOP = 26
FOUND = PALETTE[7]


def intervals(values: Mapping[str, tuple[float, float | None, float | None]], *, label: str) -> str:
    """Means as dots, their intervals as bars, one row a setting.

    Args:
        values: setting -> mean, and the ends of its interval or None.
        label: what the plot shows, for readers who do not see it.

    Examples:
        >>> intervals({"dense": (0.5, 0.4, 0.6), "text": (0.4, None, None)}, label="mrr").count("<circle")
        2
    """
    ends = [end for value in values.values() for end in value if end is not None]
    low, high = _round_range(min(ends, default=0.0), max(ends, default=1.0))
    left, right = float(_LABEL), HALF - 26.0
    base = 8 + len(values) * _ROW

    def at(value: float) -> float:
        return left + (value - low) / (high - low) * (right - left)

    parts = []
    for tick in _ticks(low, high):
        parts += [line(at(tick), 4, at(tick), base, "faint"), text(at(tick), base + 15, _plain(tick), anchor="middle")]
    for place, ((name, (mean, least, most)), fill) in enumerate(zip(values.items(), colours(len(values)), strict=True)):
        y = 8 + place * _ROW + _ROW / 2 - 2
        parts.append(text(left - 10, y + 4, short(name, 20), anchor="end", small=False))
        said = f"{name}: {mean:.4f}"
        if least is not None and most is not None:
            said += f", {least:.4f} to {most:.4f}"
            parts.append(rectangle(at(least), y - 3, at(most) - at(least), 6, fill))
        parts.append(
            f'<circle cx="{at(mean):.1f}" cy="{y:.1f}" r="5.5" fill="{fill}" class="dot">{_title(said)}</circle>'
        )
    return svg(parts, base + 22, label, HALF)


def depths(curves: Mapping[str, Mapping[int, float]], *, label: str, height: int = 240) -> str:
    """Recall over the number of results, one line a setting; each step along the axis is a factor.

    Examples:
        >>> depths({"dense": {1: 0.2, 10: 0.6}, "text": {1: 0.1, 10: 0.5}}, label="recall by depth").count("polyline")
        2
    """
    deepest = max((depth for curve in curves.values() for depth in curve), default=1)
    left, right, base = 40.0, WIDE - 16.0, height - 26.0
    span = math.log10(deepest) or 1.0
    parts = legend(list(curves), left, 2)
    for tick in (0.0, 0.2, 0.4, 0.6, 0.8, 1.0):
        y = base - tick * (base - _TOP)
        parts += [line(left, y, right, y, "faint"), text(left - 8, y + 4, f"{tick:.1f}", anchor="end")]
    for depth in sorted({depth for curve in curves.values() for depth in curve}):
        x = left + math.log10(depth) / span * (right - left)
        parts.append(text(x, base + 17, f"{depth:,}", anchor="middle"))
    for curve, fill in zip(curves.values(), colours(len(curves)), strict=True):
        spots = " ".join(
            f"{left + math.log10(depth) / span * (right - left):.1f},{base - value * (base - _TOP):.1f}"
            for depth, value in sorted(curve.items())
        )
        parts.append(f'<polyline points="{spots}" fill="none" stroke="{fill}" stroke-width="2.2"/>')
    return svg(parts, height, label)


def differences(values: Sequence[tuple[str, float]], *, label: str, height: int = 150) -> str:
    """Each query's difference as a bar, best first: above the line better, below it worse.

    Args:
        values: what a query is called, and its difference, -1 to 1.
        label: what the plot shows.
        height: of the drawing, in pixels.

    Examples:
        >>> differences([("tea", 0.5), ("jazz", -0.25), ("rain", 0.0)], label="dense against text").count("<rect")
        3
    """
    ordered = sorted(values, key=lambda pair: -pair[1])
    most = max((abs(value) for _, value in ordered), default=0.0) or 1.0
    left, right, middle = 46.0, WIDE - 8.0, height / 2
    step = (right - left) / max(len(ordered), 1)
    half = middle - 8
    parts = [
        text(left - 8, middle - half + 8, f"+{most:.2f}", anchor="end"),
        text(left - 8, middle + half, f"-{most:.2f}", anchor="end"),
    ]
    for place, (name, value) in enumerate(ordered):
        tall = abs(value) / most * half
        y = middle - tall if value > 0 else middle
        fill = PALETTE[2] if value > 0 else PALETTE[1]
        parts.append(
            rectangle(left + place * step, y, min(step * 0.86, 26), tall, fill, f"{short(name, 80)}: {value:+.3f}")
        )
    parts.append(line(left, middle, right, middle))
    return svg(parts, height, label)


def losses(found: float, lost: Mapping[str, float], *, label: str) -> str:
    """What is found and what each stage loses, as one bar that is as long as everything.

    Stages that gain (below 0) are named and take no place.

    Examples:
        >>> losses(0.6, {"cut": 0.1, "encoding": 0.3, "index": 0.0}, label="where recall goes").count("<title")
        3
    """
    left, right = 2.0, WIDE - 2.0
    shown = {"found": found, **{name: value for name, value in lost.items() if value > 0}}
    total = sum(shown.values()) or 1.0
    fills = {"found": FOUND, **stage_colours(lost)}
    x, parts = left, []
    for name, value in shown.items():
        width = value / total * (right - left)
        parts.append(rectangle(x, 2, width, 42, fills[name], f"{name}: {value:.1%}"))
        words = f"{name} {value:.1%}"
        if width > 8 * len(words):
            parts.append(f'<text x="{x + 8:.1f}" y="28" class="onbar">{words}</text>')
        x += width
    return svg(parts, 46, label)


def stage_colours(stages: Iterable[str]) -> dict[str, str]:
    """The colour of each stage at which something is lost."""
    return dict(zip(stages, (*PALETTE[1:2], *PALETTE[3:]), strict=False))


def reliability(said: Sequence[float], true: Sequence[float], low: Sequence[float], high: Sequence[float]) -> str:
    """What probabilities said over what came true; on the diagonal they mean what they say.

    Examples:
        >>> reliability([0.2, 0.9], [0.25, 0.8], [0.1, 0.6], [0.4, 0.9]).count("<circle")
        2
    """
    left, right, top, base = 40.0, 340.0, 10.0, 310.0

    def x(value: float) -> float:
        return left + value * (right - left)

    def y(value: float) -> float:
        return base - value * (base - top)

    parts = [line(x(0), y(0), x(1), y(1), "faint"), line(left, base, right, base), line(left, top, left, base)]
    for tick in (0.0, 0.25, 0.5, 0.75, 1.0):
        parts += [
            text(x(tick), base + 16, f"{tick:g}", anchor="middle"),
            text(left - 7, y(tick) + 4, f"{tick:g}", anchor="end"),
        ]
    for one, truth, least, most in zip(said, true, low, high, strict=True):
        title = _title(f"said {one:.3f}, true {truth:.3f} ({least:.3f} to {most:.3f})")
        parts.append(line(x(one), y(least), x(one), y(most)))
        parts.append(f'<circle cx="{x(one):.1f}" cy="{y(truth):.1f}" r="5" fill="{PALETTE[0]}">{title}</circle>')
    parts.append(text((left + right) / 2, base + 34, "probability given", anchor="middle"))
    return svg(parts, 350, "probability given against share that is relevant", HALF)


def _title(words: str) -> str:
    return f"<title>{escape(words)}</title>"


def _round_range(low: float, high: float) -> tuple[float, float]:
    """A range of at least 0.1 with round ends that holds both, within 0 and 1 where they are."""
    low, high = math.floor(low * 10) / 10, math.ceil(high * 10) / 10
    return (low, high) if high - low > 0.05 else (max(low - 0.1, min(low, 0.0)), low + 0.1)


def _ticks(low: float, high: float) -> list[float]:
    count = round((high - low) * 10)
    step = 1 if count <= 5 else 2
    return [low + place / 10 for place in range(0, count + 1, step)]


def _plain(value: float) -> str:
    return f"{value:.1f}"
