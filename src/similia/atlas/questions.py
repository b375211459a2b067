"""Questions of MedQuAD as a table of vectors and columns, and workloads of filtered queries over it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from similia.atlas.registry import Settings
from similia.atlas.vectors import encode
from similia.encode import load
from similia.evaluate import datasets
from similia.index import Predicate
from similia.types import Float32, Int64

FIELDS = {"source": "category", "kind": "category", "group": "category", "initial": "category", "words": "integer"}
TEMPLATES = (
    "kind = {kind}",
    "source = {source} AND kind = {kind}",
    "source = {source}",
    "initial = {initial} AND kind = {kind}",
    "source = {source} AND initial = {initial}",
    "initial = {initial}",
    "kind = {kind} AND words < {words}",
    "source = {source} AND words >= {words}",
    "kind IN ({kind}, 'treatment', 'symptoms') AND initial = {initial}",
    "source = {source} AND kind = {kind} AND initial = {initial}",
    "(source = {source} OR initial = {initial}) AND NOT words < {words}",
    "group IS NULL OR kind = {kind}",
)
"""By frequency in the skewed workload."""
BANDS = (25, 50, 100, 200, 400)


class Rows(NamedTuple):
    """The table: vectors float32 (n, d), and named columns of n values."""

    vectors: Float32
    columns: Mapping[str, Sequence[Any]]


class Workload(NamedTuple):
    """Queries: vectors float32 (q, d), and the filter of each."""

    vectors: Float32
    where: list[Predicate]

    def part(self, chosen: Int64) -> Workload:
        """Some of them."""
        return Workload(self.vectors[chosen], [self.where[i] for i in chosen.tolist()])


def questions(settings: Settings) -> Rows:
    """The questions of MedQuAD that have an answer."""
    table = list(_questions())
    if settings.quick:
        chosen = np.random.default_rng(settings.seed).choice(len(table), 3_000, replace=False)
        table = [table[i] for i in np.sort(chosen).tolist()]
    columns = {name: [row[name] for row in table] for name in FIELDS}
    return Rows(encode(load("minilm"), [row["text"] for row in table], progress=settings.progress), columns)


def _questions() -> Iterator[dict[str, Any]]:
    for pair in datasets.records("medquad_pairs"):
        yield {
            "source": pair["source"],
            "kind": pair["kind"],
            "group": pair["group"],
            "initial": pair["focus"][:1].upper() or None,
            "words": len(pair["answer"].split()),
            "text": pair["question"],
        }


def workload(rows: Rows, chosen: Int64, random: np.random.Generator, *, shuffled: bool = False) -> Workload:
    """Rows as queries, each with a filter that it passes; or, shuffled, one that any other row passes."""
    shares = np.ones(len(TEMPLATES)) if shuffled else 1 / np.arange(1, len(TEMPLATES) + 1)
    templates = random.choice(len(TEMPLATES), len(chosen), p=shares / shares.sum())
    givers = random.integers(len(rows.vectors), size=len(chosen)) if shuffled else chosen
    read: dict[str, Predicate] = {}
    where = []
    for template, giver in zip(templates.tolist(), givers.tolist(), strict=True):
        values = {name: _written(name, column[giver]) for name, column in rows.columns.items()}
        text = TEMPLATES[template].format(**values)
        if text not in read:
            read[text] = Predicate.parse(text, FIELDS)
        where.append(read[text])
    return Workload(rows.vectors[chosen], where)


def _written(name: str, value: Any) -> str:
    if name == "words":
        return str(min(BANDS, key=lambda band: abs(band - value)))
    return "'" + str(value or "").replace("'", "''") + "'"
