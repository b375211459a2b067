"""HQI: many filtered queries at once, over vectors that are partitioned by the filters that were asked before.

16,407 questions of MedQuAD, in vectors of the bundled encoder, with source, type, initial of what they are about, group
in UMLS and length of the answer. 5,000 past queries and 1,000 others are questions of the table; filters come from 12
templates, Zipf, filled with what the question itself has (skewed), or at the same rate with what another one has
(shuffled). The baseline is the same index without a workload: one k-means IVF over all vectors; a filter is evaluated
on all rows for each query, and what passes is compared. Times are processor time of one thread. The quick sample takes
3,000 questions.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any

import numpy as np

from similia.atlas.questions import FIELDS, Rows, Workload, questions, workload
from similia.atlas.registry import Settings, SystemInfo
from similia.atlas.result import Claim, claim
from similia.atlas.timing import one_thread, processor_time
from similia.index import ExactIndex, Predicate, ScanIndex
from similia.index.workload import Cost, WorkloadIndex
from similia.types import Hits

INFO = SystemInfo(
    number=21,
    name="HQI",
    title="Batches of filtered queries over vectors that are partitioned by past filters",
    paper="Mohoney, Pacaci, Chowdhury, Mousavi, Ilyas, Minhas, Pound and Rekatsinas, High-Throughput Vector Similarity "
    "Search in Knowledge Graphs (SIGMOD 2023, arXiv 2304.01926)",
    status="complete",
    rooms=("encode", "index", "evaluate"),
    claims=(
        "The tree cuts the rows that unseen queries scan 3 times, and those of selective filters 5 times",
        "A batch takes a third of the time of query by query, with identical results",
        "Tree and batch together are 8 times faster on a skewed workload",
        "Where filters say nothing of the vectors, and all templates are as frequent, the gain is clearly smaller",
        "With all lists, the answers are those of an exact search with the filter",
        "What the tree saves on past queries it saves on unseen ones",
        "A batch is faster than one exact search for each different filter",
    ),
    data=("medquad",),
)
K = 10
PROBES = (2, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128)
RECALL = 0.95
SELECTIVE = 0.01


def run(settings: Settings) -> list[Claim]:
    """See the module."""
    rows = questions(settings)
    with one_thread():
        return claims(rows, 600 if settings.quick else 5_000, 200 if settings.quick else 1_000, settings.seed)


def claims(rows: Rows, past: int, unseen: int, seed: int) -> list[Claim]:
    """All of them, for one table."""
    random = np.random.default_rng(seed)
    parts = np.split(random.permutation(len(rows.vectors)), [past, past + unseen, past + 6 * unseen])
    one = IVF(WorkloadIndex(rows.vectors, rows.columns, FIELDS, seed=seed))
    found: dict[str, Compared] = {}
    for kind in ("skewed", "shuffled"):
        train, test = (workload(rows, part, random, shuffled=kind == "shuffled") for part in parts[:2])
        found[kind] = Compared(rows, one, train, test, seed)
    skewed, shuffled = found["skewed"], found["shuffled"]
    return [
        scanned(skewed),
        batched(skewed),
        combined(skewed),
        independent(skewed, shuffled),
        exact(rows, (skewed, shuffled)),
        unseen_too(skewed),
        simple(rows, skewed, workload(rows, parts[2], random)),
    ]


# -- what is compared


class IVF:
    """An index and the fewest lists that reach the recall, as chosen on past queries."""

    def __init__(self, index: WorkloadIndex) -> None:
        self.index = index
        self.probes: int | None = None

    def tune(self, train: Workload) -> IVF:
        """Choose; a copy, since what is past differs."""
        tuned = IVF(self.index)
        truth = self.index.search(train.vectors, K, where=train.where)
        for probes in PROBES:
            # A little more than is needed, for queries that were not tuned on.
            found = self.index.search(train.vectors, K, where=train.where, nprobe=probes)
            if recall(found, truth) >= (1 + RECALL * 2) / 3:
                tuned.probes = probes
                break
        return tuned

    def search(self, queries: Workload, *, batched: bool = True, cost: Cost | None = None) -> Hits:
        """Search so many lists."""
        return self.index.search(
            queries.vectors, K, where=queries.where, nprobe=self.probes, batched=batched, cost=cost
        )

    def scanned(self, queries: Workload) -> dict[str, float]:
        """Rows a query that a filter is tested on, and that are compared, where each query is answered by itself."""
        cost = Cost()
        self.search(queries, batched=False, cost=cost)
        count = max(1, len(queries.where))
        return {
            "rows scanned": (cost.tested + cost.compared) / count,
            "rows tested": cost.tested / count,
            "rows compared": cost.compared / count,
        }


class Compared:
    """The two indexes on one workload."""

    def __init__(self, rows: Rows, one: IVF, train: Workload, test: Workload, seed: int) -> None:
        self.train, self.test = train, test
        sample = train.part(np.arange(min(len(train.where), len(test.where))))
        self.sample = sample
        self.one = one.tune(sample)

        def tree(near: int) -> IVF:
            past = (train.vectors, train.where)
            return IVF(WorkloadIndex(rows.vectors, rows.columns, FIELDS, past, near=near, seed=seed)).tune(sample)

        started = time.process_time()
        self.tree = tree(0)
        self.built = time.process_time() - started
        self.routed = tree(4)
        self.truth = one.index.search(test.vectors, K, where=test.where)
        self.masks = {given: given.mask(rows.columns) for given in dict.fromkeys(test.where)}
        shares = {given: mask.mean() for given, mask in self.masks.items()}
        self.selective = np.flatnonzero([shares[given] <= SELECTIVE for given in test.where])

    @cached_property
    def recalls(self) -> dict[str, float]:
        """Of each index, on the unseen queries."""
        return {
            name: recall(index.search(self.test), self.truth)
            for name, index in (("one", self.one), ("tree", self.tree))
        }

    @cached_property
    def scanned(self) -> tuple[dict[str, float], dict[str, float]]:
        """By the one IVF and by the tree, for the unseen queries."""
        return self.one.scanned(self.test), self.tree.scanned(self.test)

    @cached_property
    def times(self) -> dict[str, float]:
        """Milliseconds a query."""
        seconds = processor_time(
            {
                "one, query by query": lambda: self.one.search(self.test, batched=False),
                "one, batch": lambda: self.one.search(self.test),
                "tree, query by query": lambda: self.tree.search(self.test, batched=False),
                "tree, batch": lambda: self.tree.search(self.test),
            }
        )
        return {name: 1e3 * value / len(self.test.where) for name, value in seconds.items()}


def same(found: Hits, expected: Hits) -> float:
    """The share of queries whose ids and scores are identical."""
    return float(((found.ids == expected.ids) & (found.scores == expected.scores)).all(axis=1).mean())


def recall(found: Hits, truth: Hits) -> float:
    """The share of what an exact search finds that is found, over queries for which there is something."""
    shares = [
        np.isin(wanted[wanted >= 0], own).mean()
        for wanted, own in zip(truth.ids, found.ids, strict=True)
        if wanted[0] >= 0
    ]
    return float(np.mean(shares)) if shares else 1.0


# -- claims


def scanned(case: Compared) -> Claim:
    """Claim 1."""
    few, recalls = case.test.part(case.selective), case.recalls
    baseline, measured = case.scanned
    ours, theirs = case.tree.scanned(few), case.one.scanned(few)
    ratio = baseline["rows scanned"] / measured["rows scanned"]
    selective = theirs["rows scanned"] / max(1.0, ours["rows scanned"])
    return claim(
        1,
        INFO.claims[0],
        f"rows tested or compared a query, one IVF / tree >= 3, and >= 5 for filters that {SELECTIVE:.0%} pass, "
        f"both at recall@10 >= {RECALL}",
        ratio >= 3 and selective >= 5 and min(recalls.values()) >= RECALL,
        measured={
            "ratio": ratio,
            "ratio, selective": selective,
            **measured,
            **{f"selective, {name}": value for name, value in ours.items()},
            "recall@10": recalls["tree"],
            "lists a query": case.tree.probes or case.tree.index.lists,
            "leaves": case.tree.index.leaves,
            **routing(case),
        },
        baseline={
            **baseline,
            **{f"selective, {name}": value for name, value in theirs.items()},
            "recall@10": recalls["one"],
            "lists a query": case.one.probes or case.one.index.lists,
        },
        note=f"{case.selective.size:,} of {len(case.test.where):,} unseen queries are selective; "
        f"{len({*case.test.where}):,} different filters",
    )


def routing(case: Compared) -> dict[str, float]:
    """The tree with cuts by centroids: all leaves, and only those at the few centroids nearest to a query."""
    found = {}
    for near in (None, 4, 16):
        cost = Cost()
        queries, index = case.test, case.routed
        hits = index.index.search(
            queries.vectors, K, where=queries.where, nprobe=index.probes, near=near, batched=False, cost=cost
        )
        name = "with cuts by centroids, " + (f"at {near} of 64" if near else "all leaves")
        found[f"{name}, rows scanned"] = (cost.tested + cost.compared) / len(queries.where)
        found[f"{name}, recall@10"] = recall(hits, case.truth)
    return found


def batched(case: Compared) -> Claim:
    """Claim 2."""
    times = case.times
    equal = min(same(way.search(case.test), way.search(case.test, batched=False)) for way in (case.tree, case.one))
    cost, apart = Cost(), Cost()
    case.tree.search(case.test, cost=cost)
    case.tree.search(case.test, batched=False, cost=apart)
    ratio = times["tree, query by query"] / times["tree, batch"]
    return claim(
        2,
        INFO.claims[1],
        "processor time of query by query / batch >= 3, with the same ids and scores for every query",
        ratio >= 3 and equal == 1,
        measured={
            "ratio": ratio,
            "ratio, one IVF": times["one, query by query"] / times["one, batch"],
            "identical": equal,
            "ms a query": times["tree, batch"],
            "bitmaps": cost.bitmaps,
            "rows compared": cost.compared / len(case.test.where),
        },
        baseline={
            "ms a query": times["tree, query by query"],
            "bitmaps": apart.bitmaps,
            "rows compared": apart.compared / len(case.test.where),
        },
        note="query by query only what passes is compared, in a batch whole lists are",
    )


def combined(case: Compared) -> Claim:
    """Claim 3."""
    times, recalls = case.times, case.recalls
    ratio = times["one, query by query"] / times["tree, batch"]
    return claim(
        3,
        INFO.claims[2],
        f"processor time of one IVF query by query / tree in a batch >= 8, both at recall@10 >= {RECALL}",
        ratio >= 8 and min(recalls.values()) >= RECALL,
        measured={"ratio": ratio, "ms a query": times["tree, batch"], "seconds to build and tune": case.built},
        baseline={"ms a query": times["one, query by query"], "ms a query, batch": times["one, batch"]},
    )


def independent(skewed: Compared, shuffled: Compared) -> Claim:
    """Claim 4."""
    gains: dict[str, dict[str, float]] = {}
    for name, case in (("skewed", skewed), ("shuffled", shuffled)):
        times = case.times
        one, tree = (counts["rows scanned"] for counts in case.scanned)
        gains[name] = {
            "time": times["one, query by query"] / times["tree, batch"],
            "rows scanned": one / tree,
            "recall@10": case.recalls["tree"],
            "different filters": len({*case.test.where}),
            "lists a query": case.tree.probes or case.tree.index.lists,
        }
    ratios = [gains["shuffled"][name] / gains["skewed"][name] for name in ("time", "rows scanned")]
    return claim(
        4,
        INFO.claims[3],
        "gain in time, and in rows scanned, at most .75 of that on the skewed workload",
        max(ratios) <= 0.75,
        measured=gains["shuffled"],
        baseline=gains["skewed"],
        note="the tree is cut by filters alone, and needs no agreement of them with the vectors",
    )


def exact(rows: Rows, cases: Sequence[Compared]) -> Claim:
    """Claim 5."""
    oracle = ExactIndex(rows.vectors)
    equal: dict[str, float] = {}
    for name, case in zip(("skewed", "shuffled"), cases, strict=True):
        expected = by_filter(oracle, case.test, case.masks.__getitem__)
        for way, index in (("one", case.one), ("tree", case.tree), ("with cuts by centroids", case.routed)):
            for batch in (True, False):
                found = index.index.search(case.test.vectors, K, where=case.test.where, batched=batch)
                equal[f"{name}, {way}, {'batch' if batch else 'query by query'}"] = same(found, expected)
    return claim(
        5,
        INFO.claims[4],
        "ids and scores equal for every query",
        min(equal.values()) == 1,
        measured=equal,
    )


def unseen_too(case: Compared) -> Claim:
    """Claim 6."""
    past = (case.one.scanned(case.sample), case.tree.scanned(case.sample))
    saved = {}
    for name, (one, tree) in (("past", past), ("unseen", case.scanned)):
        saved[name] = one["rows scanned"] / tree["rows scanned"]
    return claim(
        6,
        INFO.claims[5],
        "one IVF / tree in rows scanned: on unseen queries >= .8 of that on past ones",
        saved["unseen"] >= 0.8 * saved["past"],
        measured={"ratio, unseen": saved["unseen"]},
        baseline={"ratio, past": saved["past"]},
        note=f"{len({*case.test.where} - {*case.train.where}):,} of the filters were not asked before",
    )


def simple(rows: Rows, case: Compared, many: Workload) -> Claim:
    """Claim 7: queries grouped by filter, one bitmap and one search of all that passes for each."""
    few, more = (grouped(rows, case.tree, queries) for queries in (case.test, many))
    ratios = [min(times["BLAS"], times["codes"]) / times["all lists"] for times in (few, more)]
    own = ("all lists", "few lists")
    return claim(
        7,
        INFO.claims[6],
        "processor time of the faster simple way / batch with all lists >= 1.25",
        ratios[0] >= 1.25,
        measured={
            "ratio": ratios[0],
            f"ratio, {len(many.where):,} queries": ratios[1],
            **{f"ms a query, {name}": few[name] for name in own},
            **{f"ms a query, {name}, {len(many.where):,} queries": more[name] for name in own},
        },
        baseline={
            **{f"ms a query, {name}": few[name] for name in few if name not in own},
            **{f"ms a query, {name}, {len(many.where):,} queries": more[name] for name in more if name not in own},
        },
        note="all but few lists are exact, and evaluate filters in the same way; the verdict is on "
        f"{len(case.test.where):,} queries",
    )


def grouped(rows: Rows, tree: IVF, queries: Workload) -> dict[str, float]:
    """Milliseconds a query of the tree in a batch, and of one search for each filter."""
    columns, table = tree.index.columns, np.arange(len(rows.vectors))

    def passing(given: Predicate) -> Any:
        return columns.rows(given.root, table)

    plain, coded = ExactIndex(rows.vectors), ScanIndex(rows.vectors)
    by_filter(coded, queries, passing)  # compiles what has to be
    seconds = processor_time(
        {
            "BLAS": lambda: by_filter(plain, queries, passing),
            "codes": lambda: by_filter(coded, queries, passing),
            "all lists": lambda: tree.index.search(queries.vectors, K, where=queries.where),
            "few lists": lambda: tree.search(queries),
        }
    )
    return {name: 1e3 * value / len(queries.where) for name, value in seconds.items()}


def by_filter(index: ExactIndex | ScanIndex, queries: Workload, passing: Callable[[Predicate], Any]) -> Hits:
    """One exact search for each different filter."""
    hits = Hits.empty(len(queries.where), K)
    groups: dict[Predicate, list[int]] = {}
    for place, given in enumerate(queries.where):
        groups.setdefault(given, []).append(place)
    for given, places in groups.items():
        found = index.search(queries.vectors[places], K, where=passing(given))
        hits.ids[places], hits.scores[places] = found.ids, found.scores
    return hits
