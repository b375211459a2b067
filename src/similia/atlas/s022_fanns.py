"""Filtered search compared: families of methods over one set of vectors with real attributes, by distances measured.

24,000 titles of arXiv papers (cs.IR to 2019, and mostly cs.CL and cs.AI of 2025 and 2026) in vectors of the bundled
encoder, with primary category, categories, year, date and authors (of cs.IR alone; elsewhere they are missing). Titles
of other papers are the queries: 300 in each of some 20 cells, a cell being a kind of filter and a share of the items
that passes; and 60 further ones that the planner is measured on. Distances are those that reach recall@10 of .9,
between two efforts that were tried. The quick sample takes 3,000 titles and 60 queries a cell.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any

import numpy as np

from similia.atlas.registry import Settings, SystemInfo
from similia.atlas.result import Claim, claim
from similia.atlas.vectors import encode
from similia.encode import load
from similia.errors import InputError
from similia.evaluate import datasets
from similia.index.filtered import (
    Acorn,
    Clusters,
    Containment,
    FilteredIndex,
    Fused,
    Inside,
    Labels,
    Post,
    Range,
    Scan,
)
from similia.measure import neighbour_recall
from similia.progress import bar
from similia.types import Float32, Hits, Int64

INFO = SystemInfo(
    number=22,
    name="FANNS benchmark",
    title="Ways to search among the items that pass a filter, and when each is the cheapest",
    paper="Iff, Bruegger, Chrapek, Besta and Hoefler, Benchmarking Filtered Approximate Nearest Neighbor Search "
    "Algorithms on Transformer-based Embedding Vectors (arXiv 2507.21989, 2025)",
    status="partial: the families on one set of 24,000; the authors' sets of up to 2.7 million are not at hand, and "
    "distances alone are compared; needs Numba",
    rooms=("encode", "index", "evaluate"),
    claims=(
        "With the greatest effort every method finds what brute force finds, and all of it passes the filter",
        "Filtering first is cheapest where few items pass, fetching more where many do, filtering within the walk "
        "between; fetching more costs about one over the share",
        "A graph for ranges beats ACORN on ranges, and refuses other filters",
        "Choosing by measured share is never much worse than the best method, and much better than any one method",
        "Where filter and query disagree and few items pass, filtering within the walk collapses and ACORN does not",
    ),
    data=("papers_ir", "papers"),
)
PLACES, TARGET, HIGHER = 10, 0.9, 0.95
EFFORTS = (10, 14, 20, 28, 40, 56, 80, 112, 160, 224, 320, 448, 640, 1280, 2560, 5120)
WALKED = 100  # passing items; of fewer, every method measures nearly all
GENERAL = ("scan", "post", "inside", "acorn-1")
SHARES, WINDOWS = (0.5, 0.2, 0.1, 0.03, 0.01, 0.003), (0.5, 0.1, 0.01, 0.001)


@dataclass(frozen=True, eq=False)
class Cell:
    """A kind of filter and a share that passes: filters, and the queries of each.

    Attributes:
        kind: "EM" one value, "R" a range of dates, "EMIS" one value of a list.
        name: for people.
        filters: as text.
        queries: float32 (q, d) for each filter.
        share: of the items, that passes, in the mean.
        cost: strategy -> distances at recall `TARGET`; infinite where it is not reached.
    """

    kind: str
    name: str
    filters: Sequence[str]
    queries: Sequence[Float32]
    share: float
    cost: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class World:
    """Items with attributes, and queries that are none of them."""

    index: FilteredIndex
    queries: Float32
    asked: int
    random: np.random.Generator

    def cells(self) -> Iterator[Cell]:
        """Every kind with every share."""
        columns = self.index.columns
        for kind, name, written in (
            ("EM", "primary", "primary = '{}'"),
            ("EM", "year", "year = {}"),
            ("EMIS", "categories", "contains(categories, '{}')"),
        ):
            counts = Counter(v for row in columns.values[name] for v in (row if isinstance(row, list) else [row]))
            for share in SHARES[: len(counts)]:
                value = min(counts, key=lambda v: abs(np.log(counts[v] / len(self.index) / share)))
                if 0.6 < counts.pop(value) / len(self.index) / share < 1.7:
                    yield self._cell(kind, f"{kind} {name} {value}", [written.format(value)])
        yield from self._pairs()
        authors = Counter(author for row in columns.values["authors"] for author in row or ())
        several = [author.replace("'", "''") for author, count in authors.most_common(10) if count > 1]
        yield self._cell("EMIS", "EMIS authors", [f"contains(authors, '{author}')" for author in several])
        dates = sorted(columns.values["date"])
        for share in WINDOWS:
            wide = max(1, int(share * len(dates)))
            firsts = self.random.integers(0, len(dates) - wide + 1, 6)
            windows = [f"date BETWEEN '{dates[first]}' AND '{dates[first + wide - 1]}'" for first in firsts]
            yield self._cell("R", f"R date {share:g}", windows)

    def _pairs(self) -> Iterator[Cell]:
        """Lists that hold both of two values."""
        rows = [{*row} for row in self.index.columns.values["categories"]]
        often = [value for value, _ in Counter(value for row in rows for value in row).most_common(12)]
        counts = {(a, b): sum(a in row and b in row for row in rows) for a, b in combinations(often, 2)}
        for share in (0.1, 0.01):
            one, other = min(counts, key=lambda pair: abs(np.log((counts[pair] + 0.1) / len(rows) / share)))
            where = f"contains(categories, '{one}') AND contains(categories, '{other}')"
            yield self._cell("EMIS", f"EMIS categories {one} and {other}", [where])

    def _cell(self, kind: str, name: str, filters: list[str]) -> Cell:
        chosen = np.array_split(self.random.choice(len(self.queries), self.asked, replace=False), len(filters))
        shares = [self.index.columns.filter(where).share for where in filters]
        return Cell(kind, name, filters, [self.queries[rows] for rows in chosen], float(np.mean(shares)))


def run(settings: Settings) -> list[Claim]:
    """See the module."""
    world, tuning = prepared(settings)
    cells = list(world.cells())
    world.index.measure(tuning, PLACES, seed=settings.seed)
    with bar("cells", len(cells), unit="cells", show=settings.progress) as shown:
        for cell in cells:
            cell.cost.update(costs(world.index, cell, [*world.index.ways]))
            shown.advance()
    return [
        exactness(world, cells),
        crossover(cells),
        ranges(world.index, cells),
        planner(world.index, cells),
        disagreement(world),
    ]


def prepared(settings: Settings) -> tuple[World, Float32]:
    """The index, and queries for the planner to be measured on."""
    random = np.random.default_rng(settings.seed)
    papers: list[Mapping[str, Any]] = []
    parts = []
    for name in INFO.data:
        records = list(datasets.records(name))
        papers += records
        parts.append(encode(load("minilm"), [str(record["title"]) for record in records], progress=settings.progress))
    vectors = np.concatenate(parts)
    items, asked, tuning = (3_000, 60, 40) if settings.quick else (24_000, 300, 60)
    order = random.permutation(len(papers))
    kept, tuned, rest = np.split(order, (items, items + tuning))
    return World(indexed(papers, vectors, kept, settings.seed), vectors[rest], asked, random), vectors[tuned]


def indexed(papers: Sequence[Mapping[str, Any]], vectors: Float32, kept: Int64, seed: int) -> FilteredIndex:
    """All strategies over some of the papers."""
    columns = {name: [papers[place][name] for place in kept] for name in ("primary", "categories", "date")}
    columns["year"] = [int(str(date)[:4]) for date in columns["date"]]
    columns["authors"] = [authors_of(papers[place].get("authors")) for place in kept]
    types = {"date": "date", "authors": "list"}
    strategies = (
        Scan(), Post(), Inside(), Acorn(), Acorn(8, 16), Range("date"), Labels(("primary", "categories")),
        Clusters(("primary", "year")), Fused(("primary",)), Containment("categories"),
    )  # fmt: skip
    return FilteredIndex(vectors[kept], columns, types=types, strategies=strategies, seed=seed)


def authors_of(written: str | None) -> list[str] | None:
    """The names in a list of authors.

    Examples:
        >>> authors_of("Ada Lovelace (Analytical Society), Alan Turing and Grace Hopper")
        ['Ada Lovelace', 'Alan Turing', 'Grace Hopper']
    """
    if not written:
        return None
    plain = re.sub(r"\([^()]*\)", "", written)
    return [name.strip() for name in re.split(r",|\band\b", plain) if name.strip()]


def true_hits(index: FilteredIndex, cell: Cell) -> list[Hits]:
    """What each filter's queries should find."""
    return [index.exact(queries, PLACES, where) for where, queries in zip(cell.filters, cell.queries, strict=True)]


def costs(index: FilteredIndex, cell: Cell, names: Sequence[str], target: float = TARGET) -> dict[str, float]:
    """Distances of each of the strategies that serves the cell, at a recall."""
    truth = true_hits(index, cell)
    found: dict[str, float] = {}
    for name in names:
        if any(index.ways[name].supports(index.columns.filter(where)) for where in cell.filters):
            continue
        before = (0.0, 0.0)
        found[name] = np.inf
        for effort in EFFORTS:
            reached, distances = tried(index, cell, truth, strategy=name, effort=effort)
            if reached >= target:
                part = (target - before[0]) / (reached - before[0])
                found[name] = distances if not before[1] else before[1] * (distances / before[1]) ** part
                break
            before = reached, distances
    return found


def tried(index: FilteredIndex, cell: Cell, truth: Sequence[Hits], **options: Any) -> tuple[float, float]:
    """Recall and distances a query, over the filters of a cell."""
    answers = [
        index.answer(queries, PLACES, where, **options)
        for where, queries in zip(cell.filters, cell.queries, strict=True)
    ]
    weights = [int((true.ids >= 0).sum()) for true in truth]
    reached = [neighbour_recall(answer.hits.ids, true.ids) for answer, true in zip(answers, truth, strict=True)]
    distances = np.concatenate([answer.distances for answer in answers])
    return (float(np.average(reached, weights=weights)) if sum(weights) else 1.0), float(distances.mean())


def exactness(world: World, cells: Sequence[Cell]) -> Claim:
    """Claim 1."""
    index, found, passed, shown = world.index, {}, 0, 0
    for name, way in index.ways.items():
        shares: list[float] = []
        for cell in cells:
            where, queries = cell.filters[0], cell.queries[0][:5]
            asked = index.columns.filter(where)
            if way.supports(asked):
                continue
            hits = index.search(queries, PLACES, where, strategy=name, effort=len(index))
            shares.append(neighbour_recall(hits.ids, index.exact(queries, PLACES, where).ids))
            there = asked.passing[hits.ids[hits.ids >= 0]]
            passed, shown = passed + int(there.sum()), shown + len(there)
        found[f"recall, {name}"] = min(shares, default=1.0)
    return claim(
        1,
        INFO.claims[0],
        "recall@10 >= .999 in every cell, for every method that serves it, at an effort of all items; every hit passes",
        all(value >= 0.999 for value in found.values()) and passed == shown,
        measured={**found, "share of hits that pass": passed / max(1, shown)},
        note="the lowest of all cells, 5 queries each",
    )


def crossover(cells: Sequence[Cell]) -> Claim:
    """Claim 2."""
    few = [cell for cell in cells if cell.share <= 0.01]
    some = [cell for cell in cells if 0.03 < cell.share < 0.3]
    many = [cell for cell in cells if cell.share >= 0.3]
    best = {cell.name: min(GENERAL, key=lambda name: cell.cost[name]) for cell in cells}
    windows = [cell for cell in cells if cell.kind == "R"]
    slope = float(np.polyfit(np.log([c.share for c in windows]), np.log([c.cost["post"] for c in windows]), 1)[0])
    won = {
        "few pass, won by scan": np.mean([best[cell.name] == "scan" for cell in few]),
        "many pass, won by post": np.mean([best[cell.name] == "post" for cell in many]),
        "between, won by a walk": np.mean([best[cell.name] in ("inside", "acorn-1") for cell in some]),
    }
    return claim(
        2,
        INFO.claims[1],
        "cheapest of scan, post, inside and acorn-1: scan in all cells up to 1 %, post in all from 30 %, a walk in all "
        "from 3 % to 30 %; cost of post over ranges goes with the share to the power of -.8 to -1.2",
        all(share == 1 for share in won.values()) and -1.2 <= slope <= -0.8,
        measured={
            **{name: float(share) for name, share in won.items()},
            "power of the share in the cost of post": slope,
            "largest share that scan wins": max((c.share for c in cells if best[c.name] == "scan"), default=0.0),
        },
        baseline={
            f"{cell.name} ({cell.share:.2%}), {name}": cell.cost[name]
            for cell in sorted(cells, key=lambda cell: cell.share)
            for name in GENERAL
            if np.isfinite(cell.cost[name])
        },
        note="distances alone count, not looking up what passes: so a walk over what passes, which measures nothing "
        "else, costs at most what the scan does. "
        + "; ".join(f"{cell.name}: {best[cell.name]}" for cell in sorted(cells, key=lambda cell: cell.share)),
    )


def ranges(index: FilteredIndex, cells: Sequence[Cell]) -> Claim:
    """Claim 3."""
    refused = 0
    others = [cell for cell in cells if cell.kind != "R"]
    for cell in others:
        try:
            index.search(cell.queries[0][:1], PLACES, cell.filters[0], strategy="range")
        except InputError:
            refused += 1
    names = ("range", "acorn-1", "acorn")
    asked = [cell for cell in cells if cell.kind == "R" and cell.share * len(index) >= WALKED]
    found = {cell.name: cell.cost for cell in asked}
    higher = {cell.name: costs(index, cell, names, HIGHER) for cell in asked}
    return claim(
        3,
        INFO.claims[2],
        f"distances of the range graph at recall .9 < those of both ACORNs in every cell of ranges where {WALKED} "
        "items or more pass; every other filter refused",
        all(row["range"] < min(row["acorn-1"], row["acorn"]) for row in found.values()) and refused == len(others),
        measured={
            **{f"{cell}, range": row["range"] for cell, row in found.items()},
            "other filters refused": refused / max(1, len(others)),
        },
        baseline={f"{cell}, {name}": row[name] for cell, row in found.items() for name in names[1:]}
        | {f"{cell}, {name}, at .95": row[name] for cell, row in higher.items() for name in names},
        note="where few pass, the least effort, that of ten items in view, takes the range graph above .9, and it "
        "costs more than it need; at .95 it is ahead in "
        + f"{sum(row['range'] < min(row['acorn-1'], row['acorn']) for row in higher.values())} of {len(higher)} cells",
    )


def planner(index: FilteredIndex, cells: Sequence[Cell]) -> Claim:
    """Claim 4."""
    ratios, reached, spent, taken = {}, {}, {}, {}
    for cell in cells:
        reached[cell.name], spent[cell.name] = tried(index, cell, true_hits(index, cell), recall=TARGET)
        ratios[cell.name] = spent[cell.name] / min(cell.cost.values())
        taken[cell.name] = index.explain(PLACES, cell.filters[0], recall=TARGET).strategy
    worst = {name: max(cell.cost.get(name, np.inf) / spent[cell.name] for cell in cells) for name in GENERAL}
    return claim(
        4,
        INFO.claims[3],
        "distances <= 1.3 times those of the best single method at recall .9 in every cell, with recall >= .9 over all "
        "cells and >= .85 in each; every method that serves all cells needs >= 2 times its distances somewhere",
        max(ratios.values()) <= 1.3
        and float(np.mean([*reached.values()])) >= TARGET
        and min(reached.values()) >= 0.85
        and min(worst.values()) >= 2,
        measured={
            "recall, mean": float(np.mean([*reached.values()])),
            "recall, lowest": min(reached.values()),
            "largest ratio": max(ratios.values()),
            **{f"ratio, {name}": ratio for name, ratio in ratios.items()},
        },
        baseline={f"worst cell, {name} over planner": value for name, value in worst.items() if np.isfinite(value)},
        note="; ".join(f"{name}: {way}" for name, way in taken.items()),
    )


def disagreement(world: World) -> Claim:
    """Claim 5: queries by how many of their 500 nearest pass, for filters that pass 0.2 % to 1 %."""
    index, queries = world.index, world.queries[: 10 * world.asked]
    near = index.exact(queries, 500).ids
    columns = index.columns
    values = Counter(("year = {}", year) for year in columns.values["year"])
    values.update(("primary = '{}'", value) for value in columns.values["primary"])
    values.update(("contains(categories, '{}')", v) for row in columns.values["categories"] for v in row)
    least = max(0.002, 2 * PLACES / len(index))
    rare = [form.format(v) for (form, v), count in values.items() if least <= count / len(index) <= 0.01]
    if not rare:
        return claim(5, INFO.claims[4], "some filters pass 0.2 % to 1 % of the items", None)
    chosen = [rare[place] for place in world.random.permutation(len(rare))[:12]]
    slices: dict[str, list[Float32]] = {"opposed": [], "any": [], "agreeing": []}
    for where in chosen:
        inside = columns.filter(where).passing[near].sum(axis=1)
        order = np.lexsort((world.random.random(len(queries)), inside))
        each = max(5, world.asked // len(chosen))
        some = world.random.permutation(len(queries))[:each]
        for name, rows in (("opposed", order[:each]), ("any", some), ("agreeing", order[-each:])):
            slices[name].append(queries[rows])
    shares = [columns.filter(where).share for where in chosen]
    measured: dict[str, float] = {"share that passes, mean": float(np.mean(shares))}
    baseline: dict[str, float] = {}
    for name, parts in slices.items():
        cell = Cell("EM", name, chosen, parts, float(np.mean(shares)))
        truth = true_hits(index, cell)
        for effort in EFFORTS:
            reached, distances = tried(index, cell, truth, strategy="acorn-1", effort=effort)
            if reached >= TARGET:
                break
        budget = max(1, round(distances))
        measured |= {f"acorn-1, {name}": reached, f"distances of acorn-1, {name}": distances}
        baseline[f"inside, {name}"], _ = tried(index, cell, truth, strategy="inside", effort=effort, budget=budget)
        free, spent = tried(index, cell, truth, strategy="inside", effort=effort)
        baseline |= {f"inside without a limit, {name}": free, f"its distances, {name}": spent}
    return claim(
        5,
        INFO.claims[4],
        "opposed: recall@10 of acorn-1 >= .9, and of inside, stopped at as many distances, <= .5",
        measured["acorn-1, opposed"] >= TARGET and baseline["inside, opposed"] <= 0.5,
        measured=measured,
        baseline=baseline,
        note=f"{len(chosen)} filters; opposed: the queries of which fewest of the 500 nearest items pass. A walk over "
        "all items ends when it found as many as the effort says: without a limit its cost collapses, not its recall",
    )
