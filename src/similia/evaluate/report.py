"""Several runs on one page: a table of metrics, with what differs from the first run for certain."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from similia.errors import InputError
from similia.evaluate.run import Evaluation
from similia.evaluate.statistics import Interval, paired_bootstrap, randomisation_test

if TYPE_CHECKING:
    from rich.table import Table


@dataclass(frozen=True)
class Row:
    """One run: its name, an interval for each metric, and p against the first run (None for the first itself)."""

    name: str
    values: Mapping[str, Interval]
    differences: Mapping[str, Interval]
    p: Mapping[str, float]


@dataclass(frozen=True)
class Report:
    """Rows of means with intervals; shows itself as a Markdown table, a rich table or a dictionary."""

    metrics: tuple[str, ...]
    rows: tuple[Row, ...]
    level: float = 0.05

    def __iter__(self) -> Iterator[Row]:
        return iter(self.rows)

    def cell(self, row: Row, metric: str) -> str:
        """The mean and half the width of its interval, starred where it differs from the first run."""
        interval = row.values[metric]
        star = "*" if row.p.get(metric, 1.0) < self.level else ""
        return f"{interval.value:.3f} ± {(interval.high - interval.low) / 2:.3f}{star}"

    def to_markdown(self) -> str:
        """A Markdown table."""
        lines = ["| run | " + " | ".join(self.metrics) + " |", "| --- |" + " --- |" * len(self.metrics)]
        lines += [f"| {row.name} | " + " | ".join(self.cell(row, m) for m in self.metrics) + " |" for row in self.rows]
        return "\n".join(lines)

    __str__ = to_markdown

    def __rich__(self) -> Table:
        from rich.table import Table

        table = Table("run", *self.metrics)
        for row in self.rows:
            table.add_row(row.name, *(self.cell(row, metric) for metric in self.metrics))
        return table

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return {
            row.name: {
                metric: {**row.values[metric].to_dict(), **({"p": row.p[metric]} if metric in row.p else {})}
                for metric in self.metrics
            }
            for row in self.rows
        }


def compare(evaluations: Mapping[str, Evaluation], metrics: Sequence[str] | None = None, *, seed: int = 0) -> Report:
    """Compare runs on the same queries; the first is what the others are tested against.

    Args:
        evaluations: name -> evaluation, all on the same queries in the same order.
        metrics: which to show; those of the first where None.
        seed: for the bootstrap and the randomisation test.

    Raises:
        InputError: nothing to compare, or other queries.

    Examples:
        >>> from similia.evaluate import evaluate
        >>> qrels = {"q": {"b": 1}, "r": {"a": 1}}
        >>> one = evaluate({"q": {"a": 2, "b": 1}, "r": {"a": 1}}, qrels, ["mrr"])
        >>> two = evaluate({"q": {"b": 2, "a": 1}, "r": {"a": 1}}, qrels, ["mrr"])
        >>> print(compare({"one": one, "two": two}))
        | run | mrr |
        | --- | --- |
        | one | 0.750 ± 0.250 |
        | two | 1.000 ± 0.000 |
    """
    if not evaluations:
        raise InputError("there is no run to compare")
    first_name, first = next(iter(evaluations.items()))
    names = tuple(metrics or first.metrics)
    rows = []
    for name, evaluation in evaluations.items():
        if evaluation.queries != first.queries:
            raise InputError(f"{name!r} was evaluated on other queries than {first_name!r}; runs compare on the same")
        values = {metric: evaluation.interval(metric, seed=seed) for metric in names}
        others = () if evaluation is first else names
        rows.append(
            Row(
                name,
                values,
                {metric: paired_bootstrap(evaluation[metric], first[metric], seed=seed) for metric in others},
                {metric: randomisation_test(evaluation[metric], first[metric], seed=seed) for metric in others},
            )
        )
    return Report(names, tuple(rows))
