"""Queries by attributes over answers of MedQuAD: a focus and one to three of kind of question, site and length."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from similia.encode import load
from similia.evaluate import datasets
from similia.index import ExactIndex
from similia.types import Float32, Hits

DEEP = 20
"""Hits of the first stage."""
SITES = {
    "1_CancerGov_QA": "the National Cancer Institute",
    "2_GARD_QA": "the Genetic and Rare Diseases centre",
    "3_GHR_QA": "Genetics Home Reference",
    "4_MPlus_Health_Topics_QA": "MedlinePlus",
    "5_NIDDK_QA": "the institute of diabetes and kidney diseases",
    "6_NINDS_QA": "the institute of neurological disorders",
    "7_SeniorHealth_QA": "NIH Senior Health",
    "8_NHLBI_QA_XML": "the heart, lung and blood institute",
    "9_CDC_QA": "the centres for disease control",
}
Parts: TypeAlias = Mapping[str, str]


@dataclass(frozen=True, eq=False)
class Task:
    """Items with attributes, queries by attributes, and the first stage.

    Attributes:
        items: the attributes of each, and its text.
        queries: (q,) texts; ``parts`` the attributes that each names; ``right`` the items that have them all.
        hits: of the first stage.
    """

    items: Sequence[Parts]
    queries: Sequence[str]
    parts: Mapping[str, Parts]
    right: Sequence[frozenset[int]]
    hits: Hits

    def recall(self, hits: Hits, k: int) -> float:
        """The share of queries with a right item among the first k."""
        found = [bool({*ids[:k].tolist()} & right) for ids, right in zip(hits.ids, self.right, strict=True)]
        return float(np.mean(found))


def sample(foci: int, random: np.random.Generator) -> tuple[list[Parts], list[set[str]]]:
    """All answers of some foci, each text once; and the foci of training, fitting and testing."""
    seen: dict[str, Parts] = {}
    for pair in datasets.records("medquad_pairs"):
        words = len(pair["answer"].split())
        length = "short" if words < 60 else "medium" if words < 200 else "long"
        if pair["focus"] and pair["kind"]:
            seen.setdefault(
                pair["answer"],
                {
                    "focus": pair["focus"],
                    "kind": pair["kind"],
                    "site": pair["source"],
                    "length": length,
                    "text": pair["answer"],
                    "question": pair["question"],
                },
            )
    names = np.array(sorted({item["focus"] for item in seen.values()}))
    chosen = random.permutation(names)[:foci].tolist()
    cuts = [foci // 2, foci // 2 + foci // 6]
    splits = [{*chosen[: cuts[0]]}, {*chosen[cuts[0] : cuts[1]]}, {*chosen[cuts[1] :]}]
    return [item for item in seen.values() if item["focus"] in {*chosen}], splits


def queries(
    items: Sequence[Parts], vectors: Float32, own: Sequence[int], count: int, random: np.random.Generator
) -> Task:
    """Queries about some of the items, each with at most three right answers among all, and the first stage."""
    names = ("kind", "site", "length")
    parts: dict[str, Parts] = {}
    for target in random.permutation(own).tolist():
        wanted = sorted(random.choice(names, random.integers(1, 4), replace=False).tolist(), key=names.index)
        asked = {name: items[target][name] for name in ("focus", *wanted)}
        if len(parts) < count and len(answers(items, asked)) <= 3:
            parts[written(asked)] = asked
    texts = list(parts)
    asked_vectors = load("minilm").encode(texts, side="query").vectors
    return Task(
        items,
        texts,
        parts,
        [answers(items, parts[text]) for text in texts],
        ExactIndex(vectors).search(asked_vectors, DEEP),
    )


def answers(items: Sequence[Parts], asked: Parts) -> frozenset[int]:
    """The items that have every attribute."""
    return frozenset(n for n, item in enumerate(items) if all(item[name] == value for name, value in asked.items()))


def written(asked: Parts) -> str:
    """The query in words.

    Examples:
        >>> written({"focus": "Gout", "kind": "causes", "length": "short"})
        'Gout: causes, in a short answer'
    """
    words = {
        "kind": lambda value: f": {value}",
        "site": lambda value: f", according to {SITES[value]}",
        "length": lambda value: f", in a {value} answer",
    }
    return asked["focus"] + "".join(words[name](value) for name, value in asked.items() if name != "focus")
