"""What an evaluation found: numbers with intervals, what each query says, where relevant items are lost."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from similia.collection.evaluation_input import Coverage
from similia.collection.losing import Losses, loss_sheet
from similia.collection.showing import Sheet, Shown, cell
from similia.collection.tables import TypedColumn, jsonable, to_arrow, to_pandas, to_polars, typed
from similia.errors import InputError
from similia.evaluate.reliance import Calibration
from similia.evaluate.report import Row
from similia.evaluate.trial import JUDGED_AT, Trial

ACROSS = 4
"""Up to so many settings stand side by side in a table; more of them one below the other."""
SHOWN = 3
"""Queries that the table on a terminal shows of each kind."""


@dataclass(frozen=True, eq=False)
class CollectionEvaluation(Shown):
    """How good ways to search are, by judgments.

    Attributes:
        name: of the collection, or what was evaluated instead.
        trial: the numbers, and what happened query by query; see `similia.evaluate.trial.Trial`.
        settings: setting -> how it was asked, as words; a run from a file has its name here.
        milliseconds: setting -> time a query, in the mean, asked together; runs from files have none.
        coverage: what of the queries and judgments is part of the numbers.
        k: results a query.
        seed: of intervals and tests.
        losses: where the dense view of each sense loses relevant items.
        calibration: setting -> whether its probabilities of relevance mean what they say, where it gives any.
        notes: what a reader has to know, one sentence each.
        ended: why it ended before all was done; "" where it did not. The first of the notes says what is missing.
        planned: how many queries were to be asked.
        seconds: how long it took.
    """

    name: str
    trial: Trial
    settings: Mapping[str, str]
    milliseconds: Mapping[str, float]
    coverage: Coverage
    k: int
    seed: int = 0
    losses: tuple[Losses, ...] = ()
    calibration: Mapping[str, Calibration] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    ended: str = ""
    planned: int = 0
    seconds: float = 0.0

    @property
    def partial(self) -> bool:
        """Whether it ended before all was done; the numbers are of the queries that were asked in every setting."""
        return bool(self.ended)

    @property
    def best(self) -> str:
        """The setting with the highest mean of the first metric, of equals the first."""
        evaluations = self.trial.evaluations
        return max(evaluations, key=lambda name: evaluations[name].mean(self.trial.metrics[0]))

    # -- as data

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON: everything that `write_html` shows.

        Keys: name, k, seed, seconds, partial, ended, best, metrics, notes, coverage, queries (counted, measured,
        planned), settings (name -> how, milliseconds, judged, values, differences with p, better, worse, recall),
        hardest, losses, calibration and per_query.
        """
        trial = self.trial
        whole = {
            "name": self.name, "k": self.k, "seed": self.seed, "seconds": self.seconds, "partial": self.partial,
            "ended": self.ended, "best": self.best, "metrics": trial.metrics, "notes": self.notes,
            "coverage": self.coverage.to_dict(),
            "queries": {"counted": trial.counted, "measured": len(trial.texts), "planned": self.planned},
            "settings": {row.name: self._setting(row) for row in trial.report},
            "hardest": trial.hardest(), "losses": [one.to_dict() for one in self.losses],
            "calibration": {name: one.to_dict() for name, one in self.calibration.items()},
            "per_query": self._per_query(),
        }  # fmt: skip
        return jsonable(whole)  # type: ignore[no-any-return]

    def _setting(self, row: Row) -> dict[str, Any]:
        name, trial = row.name, self.trial
        better, worse = trial.changed(name)
        judged = [value for value in trial.judged[name].tolist() if not math.isnan(value)]
        return {
            "how": self.settings[name],
            "milliseconds": self.milliseconds.get(name),
            "judged": sum(judged) / len(judged) if judged else None,
            "values": {metric: row.values[metric].to_dict() for metric in trial.metrics},
            "differences": {m: {**one.to_dict(), "p": row.p[m]} for m, one in row.differences.items()},
            "better": better,
            "worse": worse,
            "recall": trial.recall[name],
        }

    def _per_query(self) -> list[dict[str, Any]]:
        trial = self.trial
        return [
            {
                "query": query,
                "text": text,
                "relevant": int(trial.relevant[at]),
                "settings": {
                    name: {
                        "first_relevant": int(trial.first[name][at]) or None,
                        "judged": float(trial.judged[name][at]),
                        **{metric: float(one[metric][at]) for metric in trial.metrics},
                    }
                    for name, one in trial.evaluations.items()
                },
            }
            for at, (query, text) in enumerate(trial.texts.items())
        ]

    def to_dicts(self) -> list[dict[str, Any]]:
        """One flat dict a query and setting: what was found there; see `Trial.rows`."""
        return self.trial.rows()

    def _columns(self) -> dict[str, TypedColumn]:
        rows = self.to_dicts()
        kinds = {"query": "text", "text": "text", "setting": "text", "relevant": "integer", "first_relevant": "integer"}
        return {name: typed(kinds.get(name, "number"), [row[name] for row in rows]) for name in rows[0]}

    def to_arrow(self) -> Any:
        """The rows of `to_dicts` as a ``pyarrow.Table``."""
        return to_arrow(self._columns())

    def to_pandas(self) -> Any:
        """The rows of `to_dicts` as a ``pandas.DataFrame``."""
        return to_pandas(self._columns())

    def to_polars(self) -> Any:
        """The rows of `to_dicts` as a ``polars.DataFrame``."""
        return to_polars(self._columns())

    # -- as files

    def write_html(self, path: str | Path) -> Path:
        """Write a report: one HTML file that needs nothing else; returns its path.

        Raises:
            InputError: the place cannot be a file.
            StorageError: the disk refuses; what stood there before is unchanged.
        """
        from similia.evaluate.html import write

        return write(self.to_dict(), path)

    def plot(self, path: str | Path) -> Path:
        """Draw means with intervals and recall by depth; ``path`` ends in .svg, .png or .pdf.

        Raises:
            InputError: another ending.
            MissingDependency: Matplotlib is not there.
            OSError: the file cannot be written.
        """
        from similia.evaluate.trial_plot import draw

        return draw(self.trial, path, title=self.name)

    def write_runs(self, path: str | Path) -> list[Path]:
        """Write what each setting found as a run; returns the files.

        One setting becomes the file itself, several ``NAME.SETTING.SUFFIX`` each.

        Args:
            path: ends in .run (TREC), .csv, .tsv or .jsonl, also with .gz, .xz or .zst.

        Raises:
            InputError: another suffix, or what the format cannot hold.
            StorageError: the disk refuses.
        """
        from similia.evaluate.formats import write_run

        written = []
        for name in self.milliseconds:  # those that were asked here; runs from files are there already
            target = run_path(Path(path), name, several=len(self.milliseconds) > 1)
            write_run(self.trial.runs[name], target, tag=name)
            written.append(target)
        return written

    # -- for people

    def _sheets(self) -> list[Sheet]:
        trial = self.trial
        sheets = [self._table()]
        for row in list(trial.report)[1:]:
            sheets += self._changes(row.name)
        if trial.counted > 1:
            sheets.append(self._queries("the hardest, whatever the setting", trial.hardest(SHOWN)))
        for sense in dict.fromkeys(one.sense for one in self.losses):
            sheets.append(loss_sheet([one for one in self.losses if one.sense == sense]))
        sheets += [_calibrated(name, one) for name, one in self.calibration.items()]
        return sheets

    def _table(self) -> Sheet:
        trial = self.trial
        told = {row.name: self._setting(row) for row in trial.report}
        lines: dict[str, list[str | None]] = {
            metric: [value_cell(row, metric) for row in trial.report] for metric in trial.metrics
        }
        judged = [one["judged"] for one in told.values()]
        times = [one["milliseconds"] for one in told.values()]
        lines[f"judged@{JUDGED_AT}"] = [None if share is None else f"{share:.0%}" for share in judged]
        if any(time is not None for time in times):
            lines["ms a query"] = [None if time is None else f"{time:,.1f}" for time in times]
        if len(told) <= ACROSS:
            columns = ("", *(f"{name}#" for name in told))
            rows = [[name, *cells] for name, cells in lines.items()]
        else:
            columns = ("setting", *(f"{name}#" for name in lines))
            rows = [[name, *cells] for name, *cells in zip(told, *lines.values(), strict=True)]
        said = [f"{self.name}: {trial.counted:,} {'query' if trial.counted == 1 else 'queries'}"]
        judgments = "judgment" if self.coverage.judgments == 1 else "judgments"
        said += [f"{self.coverage.judgments:,} {judgments}", f"{self.k:,} results each"]
        below = [*self.notes]
        if any(one.endswith("*") for metric in trial.metrics for one in lines[metric] if one):
            below.append(f"* differs from {trial.baseline} (p < {trial.report.level:g}, each test by itself)")
        title = ", ".join(said) + (" (partial)" if self.partial else "")
        return Sheet(columns, rows, title, " · ".join(below))

    def _changes(self, name: str) -> list[Sheet]:
        better, worse = self.trial.changed(name, len(self.trial.texts))
        same = self.trial.counted - len(better) - len(worse)
        title = f"{name} against {self.trial.baseline}, {self.trial.metrics[0]}: "
        title += f"{len(better):,} better, {len(worse):,} worse, {same:,} the same"
        shown = [*better[:SHOWN], *worse[:SHOWN][::-1]]
        return [self._queries(title, shown, name)] if shown else [Sheet((), [], title)]

    def _queries(self, title: str, queries: list[str], other: str | None = None) -> Sheet:
        """Queries with their texts, the first metric and the rank of the first relevant item in the settings."""
        trial, places = self.trial, {query: at for at, query in enumerate(self.trial.texts)}
        names = list(trial.evaluations) if other is None else [trial.baseline, other]
        named = any(query != trial.texts[query] for query in queries)
        rows = [
            [*([cell(query, 16)] if named else []), cell(trial.texts[query], 40)]
            + [_at(trial, name, places[query]) for name in names]
            for query in queries
        ]
        columns = (*(("query",) if named else ()), "text", *(f"{name}#" for name in names))
        return Sheet(columns, rows, title, f"{trial.metrics[0]} (rank of the first relevant result)")


def run_path(path: Path, setting: str, *, several: bool) -> Path:
    """The file for the run of a setting.

    Examples:
        >>> str(run_path(Path("out.run.gz"), "dense", several=True))
        'out.dense.run.gz'
    """
    if not several:
        return path
    name = path.name
    stem, suffixes = name, ""
    for _ in range(2):
        suffix = Path(stem).suffix
        if suffix.lower() not in (".run", ".trec", ".res", ".csv", ".tsv", ".jsonl", ".ndjson", ".gz", ".xz", ".zst"):
            break
        stem, suffixes = stem.removesuffix(suffix), suffix + suffixes
    if not suffixes:
        raise InputError(f"{path}: the suffix does not say what to write; take one of .run, .csv, .tsv or .jsonl")
    return path.with_name(f"{stem}.{setting}{suffixes}")


def value_cell(row: Row, metric: str) -> str:
    """A mean, with half the width of its interval where there is one, starred where it differs from the first run.

    Examples:
        >>> from similia.evaluate import Interval
        >>> value_cell(Row("one", {"mrr": Interval(0.5, 0.4, 0.6, 0.95)}, {}, {"mrr": 0.01}), "mrr")
        '0.500 ± 0.100*'
    """
    one = row.values[metric]
    if math.isnan(one.low):
        return f"{one.value:.3f}"
    return f"{one.value:.3f} ± {(one.high - one.low) / 2:.3f}" + ("*" if row.p.get(metric, 1.0) < 0.05 else "")


def _at(trial: Trial, name: str, at: int) -> str:
    value, rank = trial.evaluations[name][trial.metrics[0]][at], int(trial.first[name][at])
    return f"{value:.3f} ({rank or '-'})"


def _calibrated(name: str, found: Calibration) -> Sheet:
    title = f"{name}: probabilities are off by {found.error:.3f} in the mean (ECE), Brier score {found.brier:.3f}"
    note = f"kept from {found.cut:g} on: precision {found.precision:.3f}, {found.kept:.0%} of the relevant results"
    return Sheet((), [], title, f"{note}; {found.judged:,} of {found.results:,} results are judged")
