"""Which way costs least, in distances, from what was measured: arithmetic alone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from similia.errors import InputError
from similia.index.filtered.columns import Shape

EFFORT = 64  # where nothing was measured
WALKED = ("labels", "range", "acorn-1", "inside", "post", "acorn", "clusters")  # then, the first of these that is able
COMPARED = 2_048  # and of fewer passing items all are compared
_NEAR = 0.7  # halvings of the share at which a filter counts e^(1/2) times less
_MOSTLY = 0.75  # of the filters, by what they count, must have reached the recall


class Step(NamedTuple):
    """What a way did with one effort under one filter.

    Attributes:
        strategy: the way.
        shape: what the filter asks for.
        share: of the items, that pass it.
        effort: passing items in view.
        recall: of the true neighbours, found.
        distances: a query, in the mean.
    """

    strategy: str
    shape: Shape
    share: float
    effort: int
    recall: float
    distances: float


class Costs(NamedTuple):
    """What was measured.

    Attributes:
        steps: by rising effort for each way and filter.
        places: k, with which it was measured.
    """

    steps: tuple[Step, ...]
    places: int


class Plan(NamedTuple):
    """How a search is done.

    Attributes:
        strategy: the way.
        effort: passing items in view.
        distances: that are expected, a query; None where it is not known.
        reason: for people.
    """

    strategy: str
    effort: int
    distances: float | None
    reason: str


def choose(
    costs: Costs | None, able: Sequence[str], shape: Shape, passing: int, count: int, *, k: int, recall: float
) -> Plan:
    """The way that should cost least.

    Args:
        costs: as measured; None where nothing was.
        able: ways that can serve the filter.
        shape: of the filter.
        passing: items that pass.
        count: items.
        k: places.
        recall: of the true neighbours, to be expected: above 0; at 1 everything that passes is compared.

    Raises:
        InputError: a recall out of range, or no way is able.

    Examples:
        >>> steps = (Step("acorn-1", "label", 0.1, 16, 0.93, 500.0), Step("acorn-1", "label", 0.01, 16, 0.91, 150.0))
        >>> costs = Costs(steps, places=10)
        >>> choose(costs, ("scan", "acorn-1"), "label", 5_000, 100_000, k=10, recall=0.9)[:2]
        ('acorn-1', 16)
        >>> choose(costs, ("scan", "acorn-1"), "label", 90, 100_000, k=10, recall=0.9).strategy
        'scan'
    """
    if not 0 < recall <= 1:
        raise InputError(f"recall is {recall}; it must be above 0 and at most 1")
    if not able:
        raise InputError("no strategy of this index can serve the filter; add Scan(), which serves all")
    if recall == 1:
        way = "scan" if "scan" in able else able[0]
        return Plan(way, count, float(passing) if way == "scan" else None, "nothing may be missed")
    plans = {"scan": Plan("scan", k, float(passing), "what passes is few enough")} if "scan" in able else {}
    if costs is None:
        if plans and passing <= COMPARED:
            return plans["scan"]
        way = next((name for name in WALKED if name in able), able[0])
        return Plan(way, max(k, EFFORT), None, "nothing was measured here")
    share, more = max(passing, 1) / max(1, count), max(1.0, k / costs.places)
    for way in able:
        found = _expected([step for step in costs.steps if step.strategy == way], shape, share, recall)
        if found is not None:
            effort, distances = (more * value for value in found)
            reason = f"the least that was measured to reach {recall:g}"
            plans[way] = Plan(way, int(np.ceil(round(effort, 6))), distances, reason)
    if not plans:
        return Plan(able[0], count, None, f"no way was measured to reach {recall:g}")
    return min(plans.values(), key=lambda plan: np.inf if plan.distances is None else plan.distances)


def _expected(steps: Iterable[Step], shape: Shape, share: float, recall: float) -> tuple[float, float] | None:
    """Effort and distances for a share: the mean of the filters measured, those of a like share counting most."""
    steps = list(steps)
    alike = [step for step in steps if step.shape == shape] or steps
    reached = [(at, *_reached(group, recall)) for at, group in _by_share(alike).items()]
    if not reached:
        return None
    shares, efforts, distances = (np.array(column) for column in zip(*reached, strict=True))
    away = (np.log2(shares / share) / _NEAR) ** 2
    weights = np.exp((away.min() - away) / 2)
    known = np.isfinite(distances)
    if weights[known].sum() < _MOSTLY * weights.sum():
        return None
    effort, cost = (np.exp(np.average(np.log(c[known]), weights=weights[known])) for c in (efforts, distances))
    return float(effort), float(cost)


def _by_share(steps: Iterable[Step]) -> Mapping[float, list[Step]]:
    groups: dict[float, list[Step]] = {}
    for step in steps:
        groups.setdefault(step.share, []).append(step)
    return groups


def _reached(steps: Sequence[Step], recall: float) -> tuple[float, float]:
    """Effort and distances at which a recall is reached, between two efforts that were tried; infinite if never."""
    above = next((place for place, step in enumerate(steps) if step.recall >= recall), None)
    if above is None:
        return np.inf, np.inf
    step = steps[above]
    if above == 0:
        return step.effort, step.distances
    before = steps[above - 1]
    part = (recall - before.recall) / (step.recall - before.recall)
    return (
        before.effort * (step.effort / before.effort) ** part,
        before.distances * (step.distances / before.distances) ** part,
    )
