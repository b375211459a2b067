"""Sentences of TREC-QA that may answer a question, and rules that take the question apart and look for its parts."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TypeAlias

import numpy as np

from similia.atlas.vectors import encode
from similia.encode import load
from similia.evaluate import datasets
from similia.types import Hits

NUMBERS = r"\d|\b(two|three|four|five|six|seven|eight|nine|ten|dozen|hundred|thousand|million|billion)\b"
DATES = (
    r"\b(1\d{3}|20\d{2}|january|february|march|april|may|june|july|august|september|october|november|december|monday|"
    r"tuesday|wednesday|thursday|friday|saturday|sunday)\b"
)
KINDS = (
    (r"^(who|whom|whose)\b", r"[A-Z][\w.]+ [A-Z]\w+"),
    (r"^(when|(in )?what (year|date|day|month))\b", f"(?i){DATES}"),
    (r"^(where|(in )?what (city|country|state|town|place))\b", r"\b(in|at|near|from|of) [A-Z]\w+"),
    (r"^how (many|much|long|old|tall|far|big|large|high|often)\b", f"(?i){NUMBERS}"),
)
COMMON = frozenset(
    str.split(
        "a an and are as at be been by can did do does for from had has have he her his how i in is it its many much "
        "name of on or s she so that the their they this to was were what when where which who whom whose why will "
        "with year"
    )
)


def question_parts(question: str) -> dict[str, str]:
    """The type of the answer that is wanted, the names, and the other words of a question.

    Examples:
        >>> question_parts("When did Elvis Presley die ?")
        {'type': '...', 'name elvis': 'elvis', 'name presley': 'presley', 'word die': 'die'}
    """
    parts = {}
    for asked, wanted in KINDS:
        if re.search(asked, question.lower()):
            parts["type"] = wanted
            break
    for place, word in enumerate(re.findall(r"[\w.]+", question)):
        low = word.strip(".").lower()
        if low and low not in COMMON:
            parts[f"{'name' if place and word[0].isupper() else 'word'} {low}"] = low
    return parts


def sentence_meets(sentence: str, name: str, value: str) -> float:
    """Whether a sentence may hold an answer of the type, or the word, cut to six letters."""
    if name == "type":
        return float(re.search(value, sentence) is not None)
    return float(any(word[:6] == value[:6] for word in re.findall(r"\w+", sentence.lower())))


Candidates: TypeAlias = tuple[list[str], Hits, Mapping[int, str], list[frozenset[int]]]
"""Questions, hits of a first stage, the text of each id, and the ids that are right for each question."""


def judged_sentences(progress: bool | None = None) -> Candidates:
    """The judged sentences of each test question that has right and wrong ones, by cosine."""
    data = datasets.retrieval("trecqa", "test")
    model = load("minilm")
    vectors = encode(model, data.documents, progress=progress)
    asked = encode(model, data.queries, side="query", progress=progress)
    at = {name: place for place, name in enumerate(data.document_ids)}
    queries, rows, right = [], [], []
    for name, question, vector in zip(data.query_ids, data.queries, asked, strict=True):
        ids = np.array([at[each] for each in data.candidates(name)])
        good = frozenset(at[each] for each, grade in data.qrels[name].items() if grade > 0)
        if len(good) < len(ids):
            scores = vectors[ids] @ vector
            order = np.argsort(-scores, kind="stable")
            rows.append((ids[order], scores[order]))
            queries.append(question)
            right.append(good)
    hits = Hits.empty(len(rows), max(len(ids) for ids, _ in rows))
    for place, (ids, scores) in enumerate(rows):
        hits.ids[place, : len(ids)], hits.scores[place, : len(ids)] = ids, scores
    return queries, hits, dict(enumerate(data.documents)), right
