"""Plots as SVG text: a few bars and histograms need no plotting library, and the report no request."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape

import numpy as np

from similia.evaluate.html.svg import HALF, WIDE, short, svg
from similia.evaluate.html.svg import PALETTE as PALETTE
from similia.evaluate.html.svg import colours as colours
from similia.types import Float32

OTHERS = PALETTE[-1]

_LABEL = 180
_ROW = 24


def stacked_bars(rows: Mapping[str, Mapping[str, int]], *, label: str) -> str:
    """Horizontal bars, one a row, stacked by series, with a legend and the row's sum.

    Args:
        rows: row name -> series name -> count.
        label: what the plot shows, for readers who do not see it.

    Examples:
        >>> stacked_bars({"numpy": {"function": 3, "class": 1}}, label="counts").count("<rect")
        4
    """
    series = sorted({name for row in rows.values() for name in row})
    fills = dict(zip(series, colours(len(series)), strict=True))
    largest = max((sum(row.values()) for row in rows.values()), default=1) or 1
    scale = (WIDE - _LABEL - 70) / largest
    parts = []
    legend_x = float(_LABEL)
    for name, fill in fills.items():
        parts.append(f'<rect x="{legend_x:.0f}" y="2" width="11" height="11" rx="2" fill="{fill}"/>')
        parts.append(f'<text x="{legend_x + 16:.0f}" y="12" class="small">{escape(name)}</text>')
        legend_x += 30 + 7.5 * len(name)
    y = 26
    for name, row in rows.items():
        x = float(_LABEL)
        parts.append(f'<text x="{_LABEL - 8}" y="{y + 14}" text-anchor="end">{escape(short(name))}</text>')
        for kind, count in sorted(row.items()):
            title = f"<title>{escape(name)}: {count:,} {escape(kind)}</title>"
            parts.append(
                f'<rect x="{x:.1f}" y="{y}" width="{max(count * scale, 0.5):.1f}" height="{_ROW - 6}" '
                f'fill="{fills[kind]}">{title}</rect>'
            )
            x += count * scale
        parts.append(f'<text x="{x + 6:.1f}" y="{y + 14}" class="small">{sum(row.values()):,}</text>')
        y += _ROW
    return svg(parts, y + 4, label)


def bars(values: Mapping[str, int], *, label: str, fill: str = PALETTE[0]) -> str:
    """Horizontal bars with their counts.

    Examples:
        >>> bars({"a": 2, "b": 1}, label="classes").count("<rect")
        2
    """
    largest = max(values.values(), default=1) or 1
    scale = (WIDE - _LABEL - 70) / largest
    parts = []
    for place, (name, count) in enumerate(values.items()):
        y = 4 + place * _ROW
        parts.append(f'<text x="{_LABEL - 8}" y="{y + 14}" text-anchor="end">{escape(short(name))}</text>')
        parts.append(
            f'<rect x="{_LABEL}" y="{y}" width="{max(count * scale, 0.5):.1f}" height="{_ROW - 6}" fill="{fill}"/>'
        )
        parts.append(f'<text x="{_LABEL + count * scale + 6:.1f}" y="{y + 14}" class="small">{count:,}</text>')
    return svg(parts, 8 + len(values) * _ROW, label)


def histogram(samples: Mapping[str, Float32], *, label: str, bins: int = 36, height: int = 190) -> str:
    """Overlaid histograms over one axis; each sample is scaled to its own tallest bin.

    Args:
        samples: name -> values (n,); the axis runs from the lowest to the highest value of all.
        label: what the plot shows.
        bins: how many steps the axis has.
        height: of the drawing, in pixels.

    Examples:
        >>> histogram({"random": np.linspace(0, 1, 9, dtype=np.float32)}, label="similarity").count("fill-opacity")
        1
    """
    values = [sample for sample in samples.values() if sample.size]
    if not values:
        return svg([], 10, label, HALF)
    low = float(np.floor(min(float(sample.min()) for sample in values) * 10) / 10)
    high = max(float(np.ceil(max(float(sample.max()) for sample in values) * 10) / 10), low + 0.1)
    left, right, base = 20.0, HALF - 20.0, height - 24.0
    step = (right - left) / bins
    parts = []
    legend_x = left
    for (name, sample), fill in zip(samples.items(), colours(len(samples)), strict=True):
        counts, _ = np.histogram(sample, bins=bins, range=(low, high))
        tops = base - counts / max(int(counts.max()), 1) * (base - 28)
        outline = "".join(f"H{left + place * step:.1f}V{top:.1f}" for place, top in enumerate(tops))
        parts.append(
            f'<path d="M{left:.1f},{base:.1f}{outline}H{right:.1f}V{base:.1f}Z" fill="{fill}" fill-opacity=".45" '
            f'stroke="{fill}"/>'
        )
        parts.append(f'<rect x="{legend_x:.0f}" y="2" width="11" height="11" rx="2" fill="{fill}"/>')
        text = f"{name} (median {float(np.median(sample)):.2f})" if sample.size else name
        parts.append(f'<text x="{legend_x + 16:.0f}" y="12" class="small">{escape(text)}</text>')
        legend_x += 34 + 6.1 * len(text)
    for tick in np.arange(round(low * 10), round(high * 10) + 1, 2 if high - low > 0.6 else 1) / 10:
        x = left + (tick - low) / (high - low) * (right - left)
        parts.append(f'<path d="M{x:.1f},{base}v5" class="axis"/>')
        parts.append(f'<text x="{x:.1f}" y="{base + 18}" text-anchor="middle" class="small">{tick:.1f}</text>')
    parts.append(f'<path d="M{left},{base}H{right}" class="axis"/>')
    return svg(parts, height, label, HALF)
