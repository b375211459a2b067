"""Fill the template of the report: everything that is text is escaped by Jinja, everything drawn is SVG."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from similia.evaluate.html import plots
from similia.evaluate.html.svg import colours

QUERIES = 200
"""Queries that the report lists, the hardest first; the table in CSV has all."""
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
_TURNS = re.compile(r"[\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def write(told: Mapping[str, Any], path: str | os.PathLike[str]) -> Path:
    """Write the report to ``path``, whole or not at all, and return the path.

    Args:
        told: what `render` takes.
        path: of the file, in a folder that is there.

    Raises:
        InputError: the place cannot be a file.
        StorageError: the disk refuses; what stood there before is unchanged.
    """
    from similia.evaluate.formats.files import writing

    target = Path(path)
    text = render(told)
    with writing(target) as stream:
        stream.write(text)
    return target


def render(told: Mapping[str, Any]) -> str:
    """The report as HTML text.

    Args:
        told: as `similia.collection.evaluated.CollectionEvaluation.to_dict` gives it, or read back from JSON.
    """
    from jinja2 import Environment, PackageLoader, StrictUndefined

    templates = Environment(
        loader=PackageLoader("similia.evaluate.html", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        finalize=_safe,
    )
    templates.filters.update(number=_number, share=_share, p=_p)
    names = list(told["settings"])
    queries = {one["query"]: one for one in told["per_query"]}
    counted = [one for one in told["per_query"] if one["relevant"] > 0]
    first = told["metrics"][0]
    listed = sorted(told["per_query"], key=lambda one: _best(one, first))[:QUERIES]
    return templates.get_template("report.html.jinja").render(
        told=told,
        names=names,
        baseline=names[0],
        first=first,
        queries=queries,
        listed=listed,
        fills=dict(zip(names, colours(len(names)), strict=True)),
        interval_plots={
            metric: plots.intervals(_means(told, metric), label=f"{metric} with intervals")
            for metric in told["metrics"]
        },
        depth_plot=plots.depths(_curves(told), label="recall by number of results"),
        difference_plots={name: _differences(counted, first, name, names[0]) for name in names[1:]},
        loss_plots=[
            plots.losses(one["recall"], one["lost"], label=f"where recall@{one['k']} of {one['sense']} goes")
            for one in told["losses"]
        ],
        stage_fills=[plots.stage_colours(one["lost"]) for one in told["losses"]],
        found_fill=plots.FOUND,
        reliability_plots={name: _reliability(one) for name, one in told["calibration"].items()},
    )


def _means(told: Mapping[str, Any], metric: str) -> dict[str, tuple[float, float | None, float | None]]:
    values = {name: one["values"][metric] for name, one in told["settings"].items()}
    return {name: (one["value"], one["low"], one["high"]) for name, one in values.items()}


def _curves(told: Mapping[str, Any]) -> dict[str, dict[int, float]]:
    return {n: {int(at): value for at, value in one["recall"].items()} for n, one in told["settings"].items()}


def _differences(counted: list[Any], metric: str, name: str, baseline: str) -> str:
    pairs = [
        (one["text"], one["settings"][name][metric] - one["settings"][baseline][metric])
        for one in counted
        if None not in (one["settings"][name][metric], one["settings"][baseline][metric])
    ]
    return plots.differences(
        [(_safe(text), value) for text, value in pairs], label=f"{metric} of {name} against {baseline}, each query"
    )


def _reliability(found: Mapping[str, Any]) -> str:
    curve = found["curve"]
    return plots.reliability(curve["confidence"], curve["accuracy"], curve["low"], curve["high"])


def _best(query: Mapping[str, Any], metric: str) -> tuple[bool, float]:
    """Sort key: the value of the best setting, queries for which nothing is relevant last."""
    values = [one[metric] for one in query["settings"].values() if one[metric] is not None]
    return not values, max(values, default=0.0)


def _safe(value: Any) -> Any:
    """Text without what a page cannot hold or what turns its direction."""
    return _TURNS.sub("\ufffd", _CONTROL.sub("\ufffd", value)) if type(value) is str else value


def _number(value: float | None, digits: int = 3) -> str:
    return "–" if value is None or math.isnan(value) else f"{value:,.{digits}f}"


def _share(value: float | None) -> str:
    return "–" if value is None else f"{value:.0%}"


def _p(value: float) -> str:
    """A probability, as it is written.

    Examples:
        >>> _p(0.0001), _p(0.0312)
        ('p < 0.001', 'p = 0.031')
    """
    return "p < 0.001" if value < 0.001 else f"p = {value:.3f}"
