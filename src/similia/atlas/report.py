"""Results for people: a table in the terminal, a page of Markdown, a page of HTML with plots."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from similia.atlas.registry import SystemInfo, systems
from similia.atlas.result import Claim, Result
from similia.errors import InputError

if TYPE_CHECKING:
    from rich.table import Table

MARKS = {"reproduced": "✓", "not reproduced": "✗", "not run": "–"}
COLOURS = {"reproduced": "green", "not reproduced": "red", "not run": "dim"}
STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; color: #1c1c1c; }
h2 { margin-top: 2.5rem; } .paper, .note, .facts { color: #666; font-size: .9rem; }
.claim { border-left: 4px solid #bbb; padding: .1rem 1rem; margin: 1rem 0; }
.reproduced { border-color: #2a7; } .not-reproduced { border-color: #c33; }
svg { display: block; max-width: 100%; } text { font: 12px system-ui, sans-serif; fill: #333; }
@media (prefers-color-scheme: dark) { body { background: #161616; color: #ddd; } text { fill: #ccc; } }
"""


def report(results: Mapping[int, Result] | Sequence[Result], path: Path | str) -> Path:
    """Write a page about results: Markdown where ``path`` ends in .md, HTML otherwise; it needs nothing from outside.

    Raises:
        InputError: there is no result.
    """
    found = list(results.values()) if isinstance(results, Mapping) else list(results)
    if not found:
        raise InputError("there are no results to report; run a system first")
    target = Path(path)
    target.write_text(to_markdown(found) if target.suffix == ".md" else to_html(found), "utf-8")
    return target


def table(results: Mapping[int, Result], infos: Sequence[SystemInfo] | None = None) -> Table:
    """A rich table of all systems with their verdicts."""
    from rich.table import Table

    shown = Table("", "system", "what it does", "verdict", "claims", "seconds")
    for info in infos or systems():
        result = results.get(info.number)
        marks = " ".join(f"[{COLOURS[c.verdict]}]{MARKS[c.verdict]}[/]" for c in result.claims) if result else ""
        verdict = f"{result.verdict}{' (quick)' if result.quick else ''}" if result else "not run"
        seconds = f"{result.seconds:,.0f}" if result else ""
        shown.add_row(f"{info.number:03d}", info.name, info.title, verdict, marks, seconds)
    return shown


def to_markdown(results: Sequence[Result]) -> str:
    """A page of Markdown: one section a system, one row a claim."""
    known = {info.number: info for info in systems()}
    lines = []
    for result in results:
        info = known.get(result.system)
        lines += [f"## {result.system:03d} {result.name}: {result.verdict}", ""]
        if info:
            lines += [f"{info.title}. {info.paper}", ""]
        lines += ["| claim | must hold | measured | baseline | verdict |", "| --- | --- | --- | --- | --- |"]
        for claim in result.claims:
            note = f" ({claim.note})" if claim.note else ""
            cells = (f"{claim.number}. {claim.says}{note}", claim.threshold, _numbers(claim.measured))
            lines.append(
                f"| {' | '.join(map(_cell, cells))} | {_cell(_numbers(claim.baseline))} | "
                f"{MARKS[claim.verdict]} {claim.verdict} |"
            )
        lines += ["", _facts(result), ""]
    return "\n".join(lines)


def to_html(results: Sequence[Result]) -> str:
    """A page of HTML with a bar plot of each claim's numbers."""
    known = {info.number: info for info in systems()}
    parts = ["<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content='width=device-width'>"]
    parts.append(f"<title>Similia: atlas</title><style>{STYLE}</style><h1>Atlas</h1>")
    for result in results:
        parts.append(f"<h2>{result.system:03d} {html.escape(result.name)}: {html.escape(result.verdict)}</h2>")
        if info := known.get(result.system):
            parts.append(f"<p>{html.escape(info.title)}<br><span class=paper>{html.escape(info.paper)}</span></p>")
        for claim in result.claims:
            kind = claim.verdict.replace(" ", "-")
            parts.append(f"<div class='claim {kind}'><p>{MARKS[claim.verdict]} {claim.number}. ")
            parts.append(f"{html.escape(claim.says)}<br><span class=note>{html.escape(claim.threshold)}")
            parts.append(f"{'<br>' + html.escape(claim.note) if claim.note else ''}</span></p>{bars(claim)}</div>")
        parts.append(f"<p class=facts>{html.escape(_facts(result))}</p>")
    return "".join(parts) + "\n"


def bars(claim: Claim) -> str:
    """The numbers of a claim as horizontal bars in one SVG; those of the method in colour."""
    rows = [(name, value, "#38b") for name, value in claim.measured.items()]
    rows += [(name, value, "#aaa") for name, value in claim.baseline.items()]
    if not rows:
        return ""
    width, label, height = 760, 340, 20
    scale = (width - label - 80) / max(max(abs(value) for _, value, _ in rows), 1e-12)
    drawn = []
    for row, (name, value, colour) in enumerate(rows):
        y = row * height
        drawn.append(f"<text x='{label - 8}' y='{y + 14}' text-anchor='end'>{html.escape(name)}</text>")
        drawn.append(f"<rect x='{label}' y='{y + 3}' width='{abs(value) * scale:.1f}' height='14' fill='{colour}'/>")
        drawn.append(f"<text x='{label + abs(value) * scale + 6:.1f}' y='{y + 14}'>{value:.4g}</text>")
    title = html.escape(f"Numbers of claim {claim.number}")
    return f"<svg viewBox='0 0 {width} {len(rows) * height}' role='img' aria-label='{title}'>{''.join(drawn)}</svg>"


def _numbers(values: Mapping[str, float]) -> str:
    return ", ".join(f"{name} {value:.4g}" for name, value in values.items())


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _facts(result: Result) -> str:
    versions = ", ".join(f"{name} {version}" for name, version in result.versions.items())
    size = "the quick sample" if result.quick else "full size"
    return f"Seed {result.seed}, {size}, {result.seconds:,.0f} s; data: {', '.join(result.data)}; {versions}."
