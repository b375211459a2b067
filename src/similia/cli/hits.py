"""The answer to a search: for people as short paragraphs that fit a narrow terminal, for programs as rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from similia.cli import console
from similia.cli.text import clean, one_line

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

    from similia.collection.results import Hit, Results
    from similia.rank import Evidence

FACTS = ("category", "date", "datetime", "integer", "number", "boolean", "list")
LONG = 2  # lines of a long text that are shown


def as_json(results: Results, fields: Sequence[str] | None) -> dict[str, Any]:
    """The whole answer; with ``fields``, items have only these."""
    whole = results.to_dict()
    if fields is not None:
        for hit in whole["results"]:
            hit["item"] = {name: hit["item"].get(name) for name in fields}
    return whole


def as_rows(results: Results, fields: Sequence[str] | None) -> list[dict[str, Any]]:
    """One flat row a result: ``_rank``, ``_key``, ``_score``, ``_VIEW_rank`` and ``_VIEW_score``, then its fields."""
    rows = []
    for hit in results:
        row: dict[str, Any] = {"_rank": hit.rank, "_key": hit.key, "_score": hit.score}
        for view in results.views:
            row[f"_{view}_rank"], row[f"_{view}_score"] = hit.ranks.get(view), hit.scores.get(view)
        if hit.relevance is not None:
            row["_relevance"] = hit.relevance
        if hit.evidence is not None:
            row["_evidence"] = [one.text for one in hit.evidence]
        wanted = list(results.fields) if fields is None else fields
        rows.append({**row, **{name: hit.item.get(name) for name in wanted}})
    return rows


def show(results: Results, fields: Sequence[str] | None, *, explain: bool) -> None:
    """Draw the answer on standard output."""
    screen = console.out()
    if explain:
        screen.print(results.explain())
    elif fields is not None:
        from similia.collection.showing import Sheet, rich_sheets

        rows = [[hit.rank, hit.score, hit.key, *(hit.item.get(name) for name in fields)] for hit in results]
        screen.print(rich_sheets([Sheet(("#", "score#", "key", *fields), rows)]))
    else:
        for hit in results:
            _paragraph(screen, hit, results)
    if not explain:
        screen.print(_footer(results), style="dim")


def _paragraph(screen: Console, hit: Hit, results: Results) -> None:
    from rich.text import Text

    margin = len(str(results.offset + len(results))) + 2
    room = max(screen.width - margin, 20)
    head = Text.assemble((f"{hit.rank:>{margin - 2}}  ", "dim"), (one_line(hit.key, room - 8), "bold cyan"))
    score = f"{hit.score:.3f}" if hit.relevance is None else f"{hit.relevance:.0%} {hit.score:.3f}"
    head.append(" " * max(screen.width - head.cell_len - len(score), 1) + score, "dim")
    screen.print(head, no_wrap=True, crop=False)
    lines = _texts(hit, results)
    for place, text in enumerate(lines):
        wrapped = Text(one_line(text, room * LONG if place else room)).wrap(screen, room)
        for line in list(wrapped)[:LONG]:
            screen.print(Text(" " * margin) + line, style="" if place == 0 else "dim", no_wrap=True)
    for one in hit.evidence or ():
        for line in _marked(one, hit).wrap(screen, room)[:LONG]:
            screen.print(Text(" " * margin) + line, no_wrap=True)
    facts = _facts(hit, results)
    if facts:
        screen.print(Text(" " * margin + one_line(facts, room), "blue"), no_wrap=True)


def _marked(one: Evidence, hit: Hit) -> Text:
    """A sentence that speaks for a hit, its words that were asked for in bold."""
    from rich.text import Text

    whole = hit.item[one.field] if one.field else ""
    shown = Text("“", "green")
    at = one.start
    for start, stop in sorted(one.words):
        shown.append(clean(whole[at:start]))
        shown.append(clean(whole[start:stop]), "bold")
        at = stop
    return shown.append(clean(whole[at : one.stop]) + "”")


def _texts(hit: Hit, results: Results) -> list[str]:
    """The text that says what the item is, and the next one: what the sense reads comes first."""
    order = dict.fromkeys([*results.shown, *results.fields])
    texts = [hit.item.get(name) for name in order if results.fields.get(name) == "text"]
    return [text for text in texts if isinstance(text, str) and text.strip() and text != hit.key][:2]


def _facts(hit: Hit, results: Results) -> str:
    parts = []
    for name, kind in results.fields.items():
        value = hit.item.get(name)
        if kind in FACTS and value is not None and str(value) != hit.key:
            shown = ", ".join(map(str, value[:5])) if isinstance(value, list) else str(value)
            if kind == "boolean":
                shown = "yes" if value else "no"
            if len(shown) <= 60:
                parts.append(f"{name} {shown}")
    return " · ".join(parts)


def _footer(results: Results) -> str:
    first, last = results.offset + 1, results.offset + len(results)
    if len(results):
        parts = [f"{first:,}" if first == last else f"{first:,}-{last:,}"]
        parts[0] += "" if results.total is None else f" of {results.total:,}"
    else:
        nothing_passes = results.where is not None and results.total == 0
        parts = ["Nothing found: no item passes the filter" if nothing_passes else "Nothing found"]
    parts.append(f"{results.mode}, sense {results.sense}")
    parts.append(f"where {results.where}" if results.where else "")
    parts += map(str, results.stages)
    parts.append(f"{results.seconds * 1000:,.0f} ms")
    parts.append(results.note)
    return clean(" · ".join(part for part in parts if part))
