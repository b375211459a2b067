"""Runs side by side, as a plot for papers and slides: means with intervals, and recall by depth."""

from __future__ import annotations

import math
import os
from pathlib import Path

from similia.errors import InputError, MissingDependency
from similia.evaluate.trial import Trial

KINDS = (".svg", ".png", ".pdf")


def check_plot(path: str | os.PathLike[str]) -> Path:
    """The path, where a plot can be written to such a file.

    Raises:
        InputError: it ends otherwise than in .svg, .png or .pdf.
        MissingDependency: Matplotlib is not there.
    """
    target = Path(path)
    if target.suffix.lower() not in KINDS:
        raise InputError(f"{target} ends in {target.suffix or 'nothing'}; a plot ends in one of {', '.join(KINDS)}")
    try:
        import matplotlib.figure  # noqa: F401
    except ImportError:
        raise MissingDependency("a plot needs Matplotlib, which is not installed: pip install matplotlib") from None
    return target


def draw(trial: Trial, path: str | os.PathLike[str], *, title: str = "") -> Path:
    """Draw a panel of means for each metric, with intervals where there are any, and one of recall by depth.

    Args:
        trial: what was measured.
        path: ends in .svg, .png or .pdf.
        title: above all.

    Raises:
        InputError: another ending.
        MissingDependency: Matplotlib is not there.
        OSError: the file cannot be written.
    """
    target = check_plot(path)
    from matplotlib.figure import Figure

    names, metrics = list(trial.evaluations), trial.metrics
    figure = Figure(figsize=(2.6 * len(metrics) + 4.6, max(2.6, 0.34 * len(names) + 1.5)), layout="constrained")
    *panels, deep = figure.subplots(1, len(metrics) + 1, width_ratios=[*[2.6] * len(metrics), 4.2], squeeze=False)[0]
    for panel, metric in zip(panels, metrics, strict=True):
        for place, row in enumerate(trial.report):
            one = row.values[metric]
            ends = None if math.isnan(one.low) else [[one.value - one.low], [one.high - one.value]]
            panel.errorbar([one.value], [place], xerr=ends, fmt="o", color=f"C{place % 10}", capsize=3)
        panel.set_yticks(range(len(names)), names if panel is panels[0] else [""] * len(names))
        panel.set_ylim(len(names) - 0.5, -0.5)
        panel.set_title(metric)
        panel.grid(visible=True, axis="x", alpha=0.25)
    for place, (name, curve) in enumerate(trial.recall.items()):
        deep.plot(list(curve), list(curve.values()), marker=".", color=f"C{place % 10}", label=name)
    deep.set_xscale("log")
    deep.set_ylim(0, 1.02)
    deep.set_xlabel("results")
    deep.set_title("recall")
    deep.grid(visible=True, alpha=0.25)
    deep.legend(frameon=False, fontsize=8)
    if title:
        figure.suptitle(title.replace("$", r"\$"))
    figure.savefig(target, metadata={"Date": None} if target.suffix.lower() == ".svg" else None)
    return target
