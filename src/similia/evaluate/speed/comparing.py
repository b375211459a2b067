"""Systems by turns: the setting of each is the cheapest that reaches a recall on some queries; others are timed."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from similia.errors import InputError
from similia.evaluate.speed.systems import System
from similia.measure import neighbour_recall
from similia.types import Float32, Int64

if TYPE_CHECKING:
    from rich.table import Table

TARGETS = (0.95, 0.99)
ROUNDS = 5


@dataclass(frozen=True)
class Point:
    """One setting of a system.

    Attributes:
        effort: the setting.
        recall: on the queries that were timed.
        microseconds: of processor time, a query; the median over the rounds.
    """

    effort: int
    recall: float
    microseconds: float


@dataclass(frozen=True)
class Measured:
    """One system.

    Attributes:
        name: of the system.
        memory: bytes that a search may touch.
        reached: (kind of queries, target recall) -> the setting chosen on other queries; missing where it is never
            reached.
        curve: kind of queries -> settings, in rising order of effort.
    """

    name: str
    memory: int
    reached: Mapping[tuple[str, float], Point]
    curve: Mapping[str, Sequence[Point]]


@dataclass(frozen=True)
class Comparison:
    """Systems on the same vectors and queries, the first of them ours.

    Attributes:
        systems: in the order given.
        count: vectors.
        dimension: of each.
        k: places a query.
        targets: of recall.
        kinds: of queries.
        seconds: name -> processor seconds that building took, where it was measured.
    """

    systems: Sequence[Measured]
    count: int
    dimension: int
    k: int
    targets: Sequence[float]
    kinds: Sequence[str]
    seconds: Mapping[str, float] = field(default_factory=dict)

    def rows(self) -> list[dict[str, Any]]:
        """A row a system: microseconds (and recall) at each target, and how many times those of the first it takes."""
        first = self.systems[0].reached
        found = []
        for system in self.systems:
            row: dict[str, Any] = {"system": system.name, "memory, MiB": system.memory / 2**20}
            if system.name in self.seconds:
                row["build, CPU s"] = self.seconds[system.name]
            for kind in self.kinds:
                for target in self.targets:
                    name = f"{target:g} {kind}".strip()
                    point, ours = system.reached.get((kind, target)), first.get((kind, target))
                    row[f"µs at {name}"] = None if point is None else point.microseconds
                    row[f"recall at {name}"] = None if point is None else point.recall
                    row[f"ratio at {name}"] = (
                        None if point is None or ours is None else point.microseconds / ours.microseconds
                    )
            found.append(row)
        return found

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON: all settings, and what is taken from them in ``rows``."""
        about = {"count": self.count, "dimension": self.dimension, "k": self.k, "rows": self.rows()}
        curves = {
            one.name: {kind: [asdict(p) for p in points] for kind, points in one.curve.items()} for one in self.systems
        }
        return {**about, "curves": curves}

    def __rich__(self) -> Table:
        from rich.table import Table

        names = [f"{target:g} {kind}".strip() for kind in self.kinds for target in self.targets]
        table = Table(title=f"µs a query at recall@{self.k} (times ours), {self.count:,} vectors of {self.dimension}")
        for name in ("system", *names, "MiB", "build s"):
            table.add_column(name, justify="left" if name == "system" else "right")
        for row in self.rows():
            cells = [
                "-" if row[f"µs at {n}"] is None else f"{row[f'µs at {n}']:,.0f}{_ratio(row[f'ratio at {n}'])}"
                for n in names
            ]
            built = row.get("build, CPU s")
            table.add_row(row["system"], *cells, f"{row['memory, MiB']:,.0f}", "" if built is None else f"{built:,.1f}")
        return table


def _ratio(value: float | None) -> str:
    return "" if value is None else f" ({value:.1f})"


def compare(
    systems: Iterable[System],
    queries: Mapping[str, Float32],
    truth: Mapping[str, Int64],
    *,
    count: int,
    k: int = 10,
    targets: Sequence[float] = TARGETS,
    rounds: int = ROUNDS,
    curve: bool = False,
    told: Callable[[str], object] = lambda said: None,
) -> Comparison:
    """Measure systems on one thread, by turns, in an order that is drawn anew for every round.

    Args:
        systems: built of the same vectors.
        queries: kind of queries -> (q, d), at least 4; settings are chosen on the first half, the second is timed.
        truth: kind -> the true neighbours (q, k).
        count: vectors that the systems have.
        k: places a query.
        targets: of recall, that settings are chosen for.
        rounds: of which the median counts.
        curve: whether every setting is timed once, for a plot.
        told: is given a sentence when a system is done with.

    Raises:
        InputError: no system, fewer than 4 queries of a kind, or a truth that does not fit.

    Examples:
        >>> from similia.index import ExactIndex
        >>> points = np.eye(8, dtype=np.float32)
        >>> exact = System("exact", lambda q, k, effort: ExactIndex(points).search(q, k).ids, (0,), points.nbytes)
        >>> found = compare([exact], {"": points}, {"": np.arange(8)[:, None]}, count=8, k=1, targets=[0.9], rounds=1)
        >>> found.rows()[0]["recall at 0.9"], found.rows()[0]["ratio at 0.9"]
        (1.0, 1.0)
    """
    built = list(systems)
    if not built:
        raise InputError("there is no system to measure")
    for kind, asked in queries.items():
        if len(asked) < 4 or len(truth[kind]) != len(asked):
            raise InputError(f"there are {len(asked)} queries and {len(truth[kind])} answers; at least 4 of both")
    jobs: dict[tuple[int, str, int], list[tuple[float, bool]]] = {}
    for place, system in enumerate(built):
        for kind, asked in queries.items():
            half = len(asked) // 2
            for target in targets:
                effort = _cheapest(system, asked[:half], truth[kind][:half], k, target)
                if effort is not None:
                    jobs.setdefault((place, kind, effort), []).append((target, True))
        told(f"{system.name}: settings chosen")
    chosen = dict(jobs)
    if curve:
        for place, system in enumerate(built):
            for kind in queries:
                for effort in system.efforts:
                    jobs.setdefault((place, kind, effort), [])
    spent: dict[tuple[int, str, int], list[float]] = {job: [] for job in jobs}
    recalls: dict[tuple[int, str, int], float] = {}
    for turn in range(rounds):
        order = [job for job in jobs if job in chosen or turn == 0]
        for number in np.random.default_rng(turn).permutation(len(order)):
            job = place, kind, effort = order[int(number)]
            half = len(queries[kind]) // 2
            microseconds, found = _timed(built[place], queries[kind][half:], k, effort)
            spent[job].append(microseconds)
            recalls[job] = neighbour_recall(found, truth[kind][half:])
        told(f"round {turn + 1} of {rounds}")
    points = {job: Point(job[2], recalls[job], float(np.median(spent[job]))) for job in jobs}
    measured = [
        Measured(
            system.name,
            system.memory,
            {
                (kind, target): points[place, kind, effort]
                for (where, kind, effort), wanted in chosen.items()
                if where == place
                for target, _ in wanted
            },
            {
                kind: [points[place, kind, effort] for effort in system.efforts if (place, kind, effort) in points]
                for kind in queries
            },
        )
        for place, system in enumerate(built)
    ]
    dimension = next(iter(queries.values())).shape[1]
    return Comparison(measured, count, dimension, k, tuple(targets), tuple(queries))


def _cheapest(system: System, queries: Float32, truth: Int64, k: int, target: float) -> int | None:
    """The least effort that reaches the target, or None."""
    for effort in system.efforts:
        if neighbour_recall(system.search(queries, k, effort), truth) >= target:
            return effort
    return None


def _timed(system: System, queries: Float32, k: int, effort: int) -> tuple[float, Int64]:
    """Processor microseconds a query, and what was found."""
    started = time.process_time()
    found = system.search(queries, k, effort)
    return (time.process_time() - started) / len(queries) * 1e6, found
