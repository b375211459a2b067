"""A progress bar with rate and time left on a terminal, silence elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol


class Progress(Protocol):
    """What long work reports to."""

    def advance(self, count: int = 1) -> None:
        """Say that ``count`` more units are done."""
        ...

    def describe(self, label: str) -> None:
        """Say what is being done now."""
        ...


class _Silent:
    def advance(self, count: int = 1) -> None:
        pass

    def describe(self, label: str) -> None:
        pass


@contextmanager
def bar(label: str, total: int | None = None, *, unit: str = "items", show: bool | None = None) -> Iterator[Progress]:
    """Show progress on standard error while the block runs.

    Args:
        label: what is being done.
        total: how many units there are; None where that is not known.
        unit: what is counted.
        show: True or False to force; None shows it where standard error is a terminal.

    Examples:
        >>> with bar("encoding", 3, show=False) as progress:
        ...     progress.advance(3)
    """
    if show is False or (show is None and not sys.stderr.isatty()):
        yield _Silent()
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, ProgressColumn, Task, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as RichProgress
    from rich.text import Text

    class Rate(ProgressColumn):
        def render(self, task: Task) -> Text:
            speed = task.finished_speed or task.speed
            return Text("" if speed is None else f"{speed:,.0f} {unit}/s", style="dim")

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), Rate(), TimeRemainingColumn())
    with RichProgress(*columns, console=Console(stderr=True), transient=True) as shown:
        task = shown.add_task(label, total=total)

        class _Shown:
            def advance(self, count: int = 1) -> None:
                shown.advance(task, count)

            def describe(self, label: str) -> None:
                shown.update(task, description=label)

        yield _Shown()
