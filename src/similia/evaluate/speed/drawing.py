"""Recall against speed, as a plot."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from similia.errors import InputError, MissingDependency
from similia.evaluate.speed.comparing import Comparison, Point

KINDS = (".svg", ".png", ".pdf")


def plot(comparison: Comparison, path: str | os.PathLike[str]) -> None:
    """Draw queries a second of processor time over recall, a panel for each kind of queries; up and right is better.

    Of each system the settings are joined that no other setting of it beats in both.

    Args:
        comparison: made with ``curve=True``.
        path: ends in .svg, .png or .pdf.

    Raises:
        InputError: another ending, or a comparison without curves.
        MissingDependency: Matplotlib is not there.
        OSError: the file cannot be written.
    """
    target = Path(path)
    if target.suffix.lower() not in KINDS:
        raise InputError(f"{target} ends in {target.suffix or 'nothing'}; a plot ends in one of {', '.join(KINDS)}")
    if not any(system.curve.get(kind) for system in comparison.systems for kind in comparison.kinds):
        raise InputError("the comparison holds no curve to draw; make it with curve=True")
    try:
        from matplotlib.figure import Figure
    except ImportError:
        raise MissingDependency("a plot needs Matplotlib, which is not installed: pip install matplotlib") from None
    figure = Figure(figsize=(5.2 * len(comparison.kinds) + 2.2, 4.2), layout="constrained")
    panels = figure.subplots(1, len(comparison.kinds), sharey=True, squeeze=False)[0]
    for panel, kind in zip(panels, comparison.kinds, strict=True):
        for place, system in enumerate(comparison.systems):
            best = frontier(system.curve.get(kind, ()))
            panel.plot(
                [point.recall for point in best],
                [1e6 / point.microseconds for point in best],
                marker="o" if len(best) > 1 else "*",
                markersize=3.5 if len(best) > 1 else 11,
                linewidth=2.4 if place == 0 else 1.2,
                color=f"C{place % 10}",
                linestyle="-" if place < 10 else "--",
                label=system.name,
            )
        panel.set_yscale("log")
        panel.set_xlim(0.8, 1.002)
        panel.grid(visible=True, which="both", alpha=0.25)
        panel.set_xlabel(f"recall@{comparison.k}")
        panel.set_title(kind)
    panels[0].set_ylabel("queries a second of processor time")
    figure.suptitle(f"{comparison.count:,} vectors of {comparison.dimension} dimensions, one thread")
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside right center", frameon=False, fontsize=9)
    figure.savefig(target, metadata={"Date": None} if target.suffix.lower() == ".svg" else None)


def frontier(points: Iterable[Point]) -> list[Point]:
    """The points that none is both faster than and at least as good, by rising recall.

    Examples:
        >>> [p.effort for p in frontier([Point(1, 0.5, 9.0), Point(2, 0.7, 5.0), Point(3, 0.9, 20.0)])]
        [2, 3]
    """
    kept: list[Point] = []
    for point in sorted(points, key=lambda point: (point.microseconds, -point.recall)):
        if not kept or point.recall > kept[-1].recall:
            kept.append(point)
    return kept
