"""Fill the report's template: everything that is text is escaped by Jinja, everything that is data is JSON."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import numpy as np

from similia.demo.report import plots
from similia.demo.screen import floored
from similia.demo.story import Points, Story

GRID = 65_535  # map coordinates are sent as unsigned 16-bit numbers: finer than any screen


def write(story: Story, path: Path) -> Path:
    """Write ``story`` to ``path`` as one HTML file, in one step, and return the path.

    Raises:
        OSError: the folder cannot be written.
    """
    temporary = path.with_suffix(".part")
    temporary.write_text(render(story), encoding="utf-8")
    temporary.replace(path)
    return path


def render(story: Story) -> str:
    """The report as HTML text."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    templates = Environment(
        loader=PackageLoader("similia.demo.report", "."), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    templates.filters["floored"] = floored
    return templates.get_template("report.html.jinja").render(
        story=story,
        count=sum(sum(row.values()) for row in story.counts.values()),
        seconds=sum(stage.seconds for stage in story.stages),
        counts_plot=plots.stacked_bars(_largest(story.counts, 14), label="items by group and kind"),
        labels_plot=plots.bars(story.labels.counts, label="items by class") if story.labels else "",
        spread_plots={
            sense: plots.histogram(
                {"random pairs": spread.random, "nearest neighbours": spread.nearest},
                label=f"similarity in the sense {sense}",
            )
            for sense, spread in story.spreads.items()
        },
        legend=_legend(story.points) if story.points else [],
        map_data=_embedded(map_data(story.points)) if story.points else "",
    )


def map_data(points: Points) -> dict[str, Any]:
    """The map as compact JSON: coordinates as base64 of little-endian uint16 (n, 2), the rest as lists."""
    low, high = points.xy.min(axis=0, initial=0.0), points.xy.max(axis=0, initial=1e-6)
    scaled = (points.xy - low) / np.maximum(high - low, 1e-9) * GRID
    return {
        "xy": base64.b64encode(scaled.round().astype("<u2").tobytes()).decode(),
        "keys": points.keys,
        "notes": points.notes,
        "group": points.group,
        "groups": points.groups,
        "colours": plots.colours(len(points.groups)),
    }


def _legend(points: Points) -> list[dict[str, Any]]:
    sizes = np.bincount(np.asarray(points.group, dtype=np.int64), minlength=len(points.groups))
    fills = plots.colours(len(points.groups))
    return [
        {"name": name, "count": int(size), "colour": fill}
        for name, size, fill in zip(points.groups, sizes, fills, strict=True)
    ]


def _largest(counts: dict[str, dict[str, int]], limit: int) -> dict[str, dict[str, int]]:
    """The ``limit`` largest rows, and the sum of the others as one."""
    ordered = sorted(counts, key=lambda name: -sum(counts[name].values()))
    kept = {name: counts[name] for name in ordered[:limit]}
    rest: dict[str, int] = {}
    for name in ordered[limit:]:
        for kind, count in counts[name].items():
            rest[kind] = rest.get(kind, 0) + count
    return kept | ({f"{len(ordered) - limit} others": rest} if rest else {})


def _embedded(data: dict[str, Any]) -> Any:
    """JSON that can stand inside a script element: nothing in it can close the element."""
    from markupsafe import Markup

    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    return Markup(text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029"))  # noqa: S704
