"""Test collections whose only difficulty is how their relevant items are combined.

Each query asks who likes one thing, and k documents, each a person's list of things, name it. Texts are as simple as
can be, so that what a search misses, it misses for the combinations: "dense" has as few relevant documents as the
queries allow, so that nearly every set of k of them is some query's answer.

Source: Weller, Boratko, Naim and Lee, *On the Theoretical Limitations of Embedding-Based Retrieval* (arXiv 2508.21038,
2025), where the dense pattern with 1,000 queries is called LIMIT.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from math import comb
from typing import Literal, TypeAlias, get_args

import numpy as np

from similia.errors import InputError
from similia.evaluate.datasets.kinds import RetrievalDataset

Pattern: TypeAlias = Literal["dense", "random", "cycle", "disjoint"]


def combinatorial_dataset(
    pattern: Pattern,
    names: Sequence[str],
    things: Sequence[str],
    *,
    queries: int = 1_000,
    k: int = 2,
    documents: int | None = None,
    likes: int = 45,
    seed: int = 42,
) -> RetrievalDataset:
    """Make a collection of "<name> likes <thing>, <thing> and <thing>." with queries "Who likes <thing>?".

    Args:
        pattern: which documents answer the queries: "dense", sets of k of the fewest documents that have enough of
            them; "random", k of all documents; "cycle", query i is answered by the documents from i to i + k - 1;
            "disjoint", each by k of its own.
        names: of people, all different; one for each document is taken.
        things: all different; one for each query is taken, and the others pad the lists, so that none of them is asked
            for.
        queries: how many.
        k: documents that are relevant to a query.
        documents: how many; those above what the pattern needs are relevant to nothing. None takes what it needs, and
            k for each query in the random pattern.
        likes: things that a document names at least.
        seed: for all choices.

    Raises:
        InputError: names or things that repeat or are too few, or documents that are too few for the pattern.

    Examples:
        >>> things = ["tea", "rain", "chess", "opera", "maps", "snow"]
        >>> made = combinatorial_dataset("dense", ["Ann", "Bo", "Cy"], things, queries=3, likes=3)
        >>> made.queries[0], made.documents[0].count(","), [len(answers) for answers in made.qrels.values()]
        ('Who likes opera?', 1, [2, 2, 2])
    """
    if pattern not in get_args(Pattern):
        raise InputError(f"pattern {pattern!r} is unknown; there are {', '.join(get_args(Pattern))}")
    if queries < 1 or k < 1 or likes < 0:
        raise InputError(f"queries {queries}, k {k} and likes {likes}; at least 1, 1 and 0 are needed")
    for word, given in (("name", names), ("thing", things)):
        if len(set(given)) < len(given):
            repeated = next(value for place, value in enumerate(given) if value in given[:place])
            raise InputError(f"the {word} {repeated!r} is there twice; {word}s must differ, as they tell items apart")
    needed = _needed(pattern, queries, k)
    count = needed if documents is None else documents
    if count < (k if pattern == "random" else needed):
        raise InputError(f"{count} documents are too few; this pattern with {queries} queries and k {k} needs {needed}")
    if len(names) < count:
        raise InputError(f"{len(names)} names are too few for {count} documents")
    if len(things) < queries + likes:
        raise InputError(
            f"{len(things)} things are too few; {queries} are asked for and up to {likes} others pad a document"
        )
    random = np.random.default_rng(seed)
    people = [names[i] for i in random.permutation(len(names))[:count]]
    shuffled = [things[i] for i in random.permutation(len(things))]
    asked, padding = shuffled[:queries], shuffled[queries:]
    answers = _answers(pattern, queries, k, count, random)
    liked: list[list[str]] = [[] for _ in range(count)]
    for thing, chosen in zip(asked, answers, strict=True):
        for document in chosen:
            liked[document].append(thing)
    texts = []
    for person, own in zip(people, liked, strict=True):
        missing = max(0, likes - len(own))
        own = own + [padding[i] for i in random.choice(len(padding), missing, replace=False)]
        texts.append(f"{person} likes {_listed([own[i] for i in random.permutation(len(own))])}.")
    keys = [f"query_{number}" for number in range(queries)]
    return RetrievalDataset(
        name=f"combinatorial-{pattern}",
        document_ids=tuple(people),
        documents=tuple(texts),
        query_ids=tuple(keys),
        queries=tuple(f"Who likes {thing}?" for thing in asked),
        qrels={key: {people[i]: 1.0 for i in chosen} for key, chosen in zip(keys, answers, strict=True)},
    )


def _listed(words: Sequence[str]) -> str:
    return " and ".join([part for part in (", ".join(words[:-1]), words[-1]) if part]) if words else "nothing"


def _needed(pattern: Pattern, queries: int, k: int) -> int:
    """The fewest documents, or as many as usual for the random pattern."""
    if pattern in ("random", "disjoint"):
        return k * queries
    if pattern == "cycle":
        return max(queries, k)
    count = k
    while comb(count, k) < queries:
        count += 1
    return count


def _answers(pattern: Pattern, queries: int, k: int, count: int, random: np.random.Generator) -> list[list[int]]:
    """The relevant documents of each query."""
    if pattern == "dense":
        every = list(combinations(range(_needed(pattern, queries, k)), k))
        return [list(every[i]) for i in random.permutation(len(every))[:queries]]
    if pattern == "random":
        return [np.sort(random.choice(count, k, replace=False)).tolist() for _ in range(queries)]
    ring = max(queries, k)
    start = (k * i for i in range(queries)) if pattern == "disjoint" else iter(range(queries))
    return [[first + j if pattern == "disjoint" else (first + j) % ring for j in range(k)] for first in start]
