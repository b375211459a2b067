"""A permutation out of what a language model wrote, whatever it wrote.

Source: the parsing and the fall back of Wu et al., Chain-of-Thought Re-ranking for Image Retrieval Tasks
(arXiv 2509.14746, 2025), with duplicates dropped.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from similia.errors import InputError
from similia.rank.judging.base import Float64, order_by

VERDICTS: Mapping[str, float] = {
    "perfect": 1.0,
    "strong": 2 / 3,
    "partial": 2 / 3,
    "strong partial": 2 / 3,
    "weak": 1 / 3,
    "irrelevant": 0.0,
}
"""Graded verdicts and what they are worth."""
RANKING = ("ranking", "order", "permutation", "indices", "ranked", "result", "answer")
"""Names under which models give the ranking, besides those that hold "indices"."""
READ = 200_000  # characters of a reply that are looked at
DEPTH = 50  # of nested JSON
FAILED = 60  # brackets that start nothing: beyond them a text is noise, and reading on takes long
BRACKETS = re.compile(r"[\[{]")
NUMBERS = re.compile(r"\[\s*(\d{1,6})\s*\]")


def robust_permutation(text: str, n: int, *, first: int = 1) -> list[int]:
    """The order that a reply gives to n numbered items, made whole.

    Looked for, in this order: a list of numbers under a name such as "ranking" in a JSON object; verdicts on numbered
    items; any list of numbers; the pattern ``[3] > [1]``. Of it are kept the numbers of items, each at its first
    mention; items that it does not mention follow in their own order. A reply without anything usable gives that order.

    Args:
        text: what a model wrote: any text.
        n: how many items there are.
        first: the number of the first item.

    Returns:
        A permutation of ``range(n)``, always.

    Raises:
        InputError: a negative n.

    Examples:
        >>> robust_permutation('Sure! {"parts": ["a"], "ranking": [3, 1, 3, 9]}', 3)
        [2, 0, 1]
        >>> robust_permutation("I cannot say.", 3)
        [0, 1, 2]
    """
    named = named_positions(text, n, first=first)
    taken = {*named}
    return named + [place for place in range(n) if place not in taken]


def named_positions(text: str, n: int, *, first: int = 1) -> list[int]:
    """The positions of items that a reply ranks, best first, without repeats; none where nothing is usable."""
    if n < 0:
        raise InputError(f"n is {n}; at least 0 is needed")
    documents = [document for document, _ in json_values(text)]
    for document in documents:
        for found in _named_lists(document):
            if usable := _positions(found, n, first):
                return usable
    grades = named_grades(text, n, first=first)
    if not np.isnan(grades).all():
        return [place for place in order_by(grades) if not np.isnan(grades[place])]
    for document in documents:
        for found in _lists(document):
            if usable := _positions(found, n, first):
                return usable
    if ">" in text:
        return _positions([int(digits) for digits in NUMBERS.findall(text[:READ])], n, first)
    return []


def named_grades(text: str, n: int, *, first: int = 1) -> Float64:
    """The grade of each numbered item in a reply: float64 (n,), NaN where there is none.

    Read are objects with a ``number`` and a ``verdict`` (one of `VERDICTS`), at any depth; the first for a number.

    Examples:
        >>> named_grades('{"items": [{"number": 2, "verdict": "Perfect"}]}', 2).tolist()
        [nan, 1.0]
    """
    grades = np.full(n, np.nan)
    for document, _ in json_values(text):
        for entry in _objects(document):
            number, worth = _integer(entry.get("number")), verdict(entry.get("verdict"))
            if number is not None and worth is not None and first <= number < first + n:
                place = number - first
                if np.isnan(grades[place]):
                    grades[place] = worth
    return grades


def verdict(value: Any) -> float | None:
    """What a verdict is worth, in 0 to 1; None for what is none.

    Examples:
        >>> verdict("Weak."), verdict("maybe")
        (0.3333333333333333, None)
    """
    return VERDICTS.get(value.strip(" .!\"'").lower()) if isinstance(value, str) else None


def average_order(orders: Sequence[Sequence[int]]) -> list[int]:
    """Positions by their mean place in several permutations of one range; equal ones by position.

    Examples:
        >>> average_order([[2, 0, 1], [0, 2, 1]])
        [0, 2, 1]
    """
    places = np.array([np.argsort(order) for order in orders])
    return [int(place) for place in np.argsort(places.sum(axis=0), kind="stable")]


def json_values(text: str) -> Iterator[tuple[Any, int]]:
    """Each JSON object or array in a text and where it starts; what comes after "Final Answer:" first."""
    text = text[:READ]
    answer = text.lower().rfind("final answer")
    decoder = json.JSONDecoder()
    for start in (answer, 0) if answer > 0 else (0,):
        failed = 0
        while (bracket := BRACKETS.search(text, start)) and failed < FAILED:
            try:
                value, start = decoder.raw_decode(text, bracket.start())
            except (ValueError, RecursionError):
                start, failed = bracket.start() + 1, failed + 1
                continue
            yield value, bracket.start()


def _named_lists(value: Any) -> Iterator[list[Any]]:
    """Lists under a name that says that they rank, outer ones first."""
    for entry in _objects(value):
        for name, inner in entry.items():
            key = str(name).lower()
            if isinstance(inner, list) and (key in RANKING or "indices" in key or "rank" in key):
                yield inner


def _lists(value: Any) -> Iterator[list[Any]]:
    for inner in _walk(value):
        if isinstance(inner, list):
            yield inner


def _objects(value: Any) -> Iterator[dict[str, Any]]:
    for inner in _walk(value):
        if isinstance(inner, dict):
            yield inner


def _walk(value: Any) -> Iterator[Any]:
    """A JSON value and what is in it, level by level."""
    level = [value]
    for _ in range(DEPTH):
        yield from level
        level = [
            inner
            for outer in level
            if isinstance(outer, dict | list)
            for inner in (outer.values() if isinstance(outer, dict) else outer)
        ]


def _positions(numbers: Sequence[Any], n: int, first: int) -> list[int]:
    found = (_integer(number.get("number") if isinstance(number, dict) else number) for number in numbers)
    kept = (number - first for number in found if number is not None and first <= number < first + n)
    return list(dict.fromkeys(kept))


def _integer(value: Any) -> int | None:
    """A whole number, also where it is written as 2.0, "2" or "[2]"; None for anything else."""
    if isinstance(value, str):
        digits = value.strip(" []#.")
        return int(digits) if digits.isascii() and digits.isdigit() and len(digits) <= 6 else None
    if isinstance(value, float):
        return int(value) if value.is_integer() else None
    return value if isinstance(value, int) and not isinstance(value, bool) else None
