"""Which way of searching is cheapest for what is asked, from costs that were measured on this machine.

Nothing here is timed or searched: `choose` is arithmetic over `Costs`, so that a plan can be shown, forced and tested.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal, TypeAlias, get_args

from similia.errors import InputError
from similia.index.scan import SEVERAL

Way: TypeAlias = Literal["exact", "scan", "graph"]
WAYS: tuple[Way, ...] = get_args(Way)
MARGIN = 1.25  # what is only faster by less than this is not worth being less than exact


@dataclass(frozen=True)
class Step:
    """One setting of a graph that was tried: the share of the true neighbours that it found, and its cost.

    Attributes:
        k: places that were asked for.
        share: of the items, that passed the filter; 1 without one.
        beam: how many items the walk kept in view.
        recall: of the k true neighbours, found; where a filter was drawn in several ways, the worst of them.
        single, batch: seconds a query, asked one by one or many at a time.
    """

    k: int
    share: float
    beam: int
    recall: float
    single: float
    batch: float


@dataclass(frozen=True)
class Costs:
    """What searching costs here.

    Attributes:
        exact, scan: (single, batch): seconds a query and item, of comparing all vectors, and of scanning all codes.
        gathered: (single, batch), the same of comparing those vectors that pass a filter.
        fixed: seconds that any call takes.
        steps: what a graph was tried with; none without a graph.
        about: how it was measured, for people.
    """

    exact: tuple[float, float]
    gathered: tuple[float, float]
    scan: tuple[float, float] | None = None
    fixed: float = 0.0
    steps: tuple[Step, ...] = ()
    about: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, given: Mapping[str, Any]) -> Costs:
        """What `to_dict` gave.

        Raises:
            InputError: it is something else.
        """
        try:
            steps = tuple(Step(**step) for step in given["steps"])
            pairs: dict[str, Any] = {
                name: None if given[name] is None else (float(given[name][0]), float(given[name][1]))
                for name in ("exact", "gathered", "scan")
            }
            return cls(**pairs, fixed=float(given["fixed"]), steps=steps, about=str(given["about"]))
        except (KeyError, TypeError, ValueError, IndexError) as error:
            raise InputError(f"these are no costs ({error!r})") from None


@dataclass(frozen=True)
class Plan:
    """How a search is done.

    Attributes:
        way: "exact" compares every vector, "scan" reads codes and proves the same answer, "graph" walks.
        beam: of a walk; None for the other ways.
        recall: what can be expected; 1 where it is proven.
        seconds: what it should cost, a query; None where it is not known.
        reason: for people.
        others: what the ways that were not taken should cost, seconds a query.
    """

    way: Way
    beam: int | None = None
    recall: float = 1.0
    seconds: float | None = None
    reason: str = ""
    others: Mapping[Way, float] | None = None

    def __str__(self) -> str:
        beam = "" if self.beam is None else f", beam {self.beam}"
        cost = "" if self.seconds is None else f", {self.seconds * 1e6:,.0f} µs a query"
        rest = ", ".join(f"{way} {seconds * 1e6:,.0f}" for way, seconds in (self.others or {}).items())
        return f"{self.way}{beam}: recall {self.recall:.3f}{cost}; {self.reason}" + (f" ({rest})" if rest else "")


def choose(
    costs: Costs | None,
    count: int,
    *,
    k: int,
    queries: int = 1,
    passing: int | None = None,
    kept: bool = False,
    recall: float = 0.95,
    ways: Iterable[Way] = WAYS,
) -> Plan:
    """The cheapest way that can be expected to reach the recall.

    Args:
        costs: as measured; None where nothing was.
        count: items.
        k: places a query.
        queries: that are asked at a time.
        passing: items that pass the filter; None without one.
        kept: whether the filter is one that is used again, so that what passes was gathered before.
        recall: of the true neighbours, to be found: above 0, at most 1.
        ways: that can be taken; "exact" always can.

    Raises:
        InputError: a recall out of range.

    Examples:
        >>> costs = Costs(exact=(4e-9, 1e-9), gathered=(8e-9, 4e-9), steps=(Step(10, 1.0, 32, 0.97, 5e-5, 4e-5),))
        >>> print(choose(costs, 1_000_000, k=10))
        graph, beam 32: recall 0.970, 50 µs a query; the cheapest that was measured to reach 0.95 (exact 4,000)
        >>> choose(costs, 1_000_000, k=10, recall=1).way
        'exact'
        >>> choose(costs, 1_000_000, k=10, passing=500).way
        'exact'
    """
    if not 0 < recall <= 1:
        raise InputError(f"recall is {recall}; it must be above 0 and at most 1")
    if costs is None:
        return Plan("exact", reason="nothing was measured here")
    ways, batch = set(ways), int(queries > 1)
    share = 1.0 if passing is None else passing / max(1, count)
    found = {
        "exact": Plan("exact", seconds=_comparing(costs, count, passing, batch), reason="every vector is compared")
    }
    if costs.scan is not None and "scan" in ways:
        gathered = passing is not None and 4 * passing <= count and (kept or queries >= SEVERAL)
        scanned = costs.scan[batch] * (passing if gathered and passing is not None else count)
        found["scan"] = Plan("scan", seconds=scanned + costs.fixed, reason="codes are read, and the answer is proven")
    step = _step(costs.steps, k, share, recall, batch) if "graph" in ways and recall < 1 else None
    if step is not None:
        seconds = (step.single, step.batch)[batch]
        reason = f"the cheapest that was measured to reach {recall:g}"
        found["graph"] = Plan("graph", step.beam, step.recall, seconds, reason)
    best = min((plan for plan in found.values() if plan.way != "graph"), key=_seconds)
    if "graph" in found and _seconds(found["graph"]) * MARGIN < _seconds(best):
        best = found["graph"]
    others: dict[Way, float] = {plan.way: _seconds(plan) for plan in found.values() if plan.way != best.way}
    return replace(best, others=others)


def _comparing(costs: Costs, count: int, passing: int | None, batch: int) -> float:
    if passing is None or 4 * passing > count:
        return costs.exact[batch] * count + costs.fixed
    return costs.gathered[batch] * passing + costs.fixed


def _seconds(plan: Plan) -> float:
    return float("inf") if plan.seconds is None else plan.seconds


def _step(steps: Iterable[Step], k: int, share: float, recall: float, batch: int) -> Step | None:
    """The cheapest step that reaches the recall for as many places or more, and under a filter as hard or harder."""
    able = [step for step in steps if step.k >= k and step.share <= share + 1e-9 and step.recall >= recall]
    if not able:
        return None
    # Of steps for more places or under a harder filter than asked for, the nearest are the best guess at the cost.
    nearest = min(step.k for step in able)
    able = [step for step in able if step.k == nearest]
    widest = max(step.share for step in able)
    able = [step for step in able if step.share == widest]
    return min(able, key=lambda step: (step.single, step.batch)[batch])
