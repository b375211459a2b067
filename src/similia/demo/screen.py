"""The tour on a terminal: headings, commands as they would be typed, and results that fit 80 columns."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Any

from similia.cli.text import clean, one_line, width

if TYPE_CHECKING:
    from rich.console import Console

    from similia.demo.story import Alike, Found, Labelled

KEY_WIDTH = 44


class Screen:
    """Shows the tour on ``console``."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self.steps = 0

    def heading(self, text: str) -> None:
        """Begin a step."""
        from rich.text import Text

        self.steps += 1
        self.console.print()
        title = Text.assemble((f"{self.steps} ", "bold cyan"), (one_line(text, self.console.width - 6), "bold"))
        self.console.rule(title, align="left", style="dim")

    def say(self, text: str) -> None:
        """A sentence."""
        self.console.print(clean(text))

    def command(self, text: str) -> None:
        """A command, as one would type it."""
        self.console.print(f"$ {clean(text)}", style="green", soft_wrap=True)

    def found(self, found: Found) -> None:
        """The results of a search."""
        self.console.print()
        self.console.print(clean(found.why), style="bold")
        self.command(found.command)
        self._rows([(f"{hit['score']:.3f}", hit["key"], hit["note"]) for hit in found.hits])
        if not found.hits:
            self.say("  nothing here fits")

    def alike(self, pair: Alike) -> None:
        """A comparison."""
        self.command(pair.command)
        self._rows([("", side["key"], side["note"]) for side in (pair.left, pair.right)])
        for sense, (similarity, percentile) in pair.senses.items():
            more = "" if percentile is None else f", more alike than {floored(percentile)} % of pairs"
            self.say(f"  {sense:<12}{_meter(similarity)} {similarity:.2f}{more}")
        if pair.terms:
            self.console.print(one_line(f"  words of both: {', '.join(pair.terms)}", self.console.width), style="dim")

    def labels(self, labels: Labelled) -> None:
        """How many items each class got."""
        self.command(labels.command)
        largest = max(labels.counts.values(), default=1) or 1
        for name, count in labels.counts.items():
            surest = " · ".join(labels.surest[name][:2])
            bar = _meter(count / largest, 16)
            self._print(f"  {one_line(name, 26):<26} {count:>6,} {bar} ", surest)

    def duplicates(self, rows: list[dict[str, Any]], summary: str, command: str) -> None:
        """Pairs that say nearly the same."""
        self.command(command)
        self._rows([(f"{row['score']:.3f}", row["left"], f"= {row['right']}  {row['note']}") for row in rows])
        self.say(summary)

    def _rows(self, rows: list[tuple[str, str, str]]) -> None:
        """Lines of score, key and note, in columns; what does not fit is cut."""
        from rich.text import Text

        column = min(max((width(key) for _, key, _ in rows), default=0), KEY_WIDTH)
        for score, key, note in rows:
            key = one_line(key, column)
            line = Text.assemble((f"{score:>7}  ", "dim"), (key, "cyan"), " " * (column - width(key) + 2))
            line.append(one_line(note, max(self.console.width - line.cell_len, 12)))
            self.console.print(line, no_wrap=True, crop=True)

    def _print(self, head: str, tail: str) -> None:
        from rich.text import Text

        line = Text(head)
        line.append(one_line(tail, max(self.console.width - line.cell_len, 8)), "dim")
        self.console.print(line, no_wrap=True, crop=True)


def floored(percentile: float) -> str:
    """A percentage with one decimal that never rounds up to 100.

    Examples:
        >>> floored(99.97)
        '99.9'
    """
    return f"{min(int(percentile * 10) / 10, 99.9):.1f}"


def quoted(text: str) -> str:
    """``text`` as one word of a shell, in double quotes where that reads better.

    Examples:
        >>> print(quoted("package = 'python'"), quoted("json.loads"), quoted("it's $5"))
        "package = 'python'" json.loads 'it'"'"'s $5'
    """
    safe = shlex.quote(text)
    return safe if safe == text or any(one in text for one in '"$`\\!') else f'"{text}"'


def _meter(share: float, cells: int = 20) -> str:
    """A bar of ``cells`` characters, filled to ``share`` (0 to 1).

    Examples:
        >>> _meter(0.5, 4)
        '██··'
    """
    full = round(min(max(share, 0.0), 1.0) * cells)
    return "█" * full + "·" * (cells - full)
