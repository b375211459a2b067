"""CoTRR: queries by attributes, judges with noise under control, rules on sentences; and a small run."""

from __future__ import annotations

import random as plain

import numpy as np
import pytest

from similia.atlas import s107_cotrr as cotrr
from similia.atlas.answer_sentences import question_parts, sentence_meets
from similia.atlas.attribute_queries import Task, answers, written
from similia.atlas.registry import Settings
from similia.evaluate import datasets
from similia.rank.judging import Judge
from similia.types import Hits

ITEMS = [
    {"focus": "Gout", "kind": "causes", "site": "9_CDC_QA", "length": "short", "text": "uric acid"},
    {"focus": "Gout", "kind": "treatment", "site": "9_CDC_QA", "length": "long", "text": "rest"},
    {"focus": "Flu", "kind": "causes", "site": "9_CDC_QA", "length": "short", "text": "a virus"},
]


def task(count: int = 1) -> Task:
    parts = {"Gout: causes": {"focus": "Gout", "kind": "causes"}}
    hits = Hits([[2, 1, 0]] * count, [[0.9, 0.8, 0.7]] * count)
    return Task(ITEMS, list(parts) * count, parts, [frozenset({0})] * count, hits)


def test_queries_are_written_and_answered() -> None:
    asked = {"focus": "Gout", "kind": "causes", "site": "9_CDC_QA", "length": "short"}
    assert written(asked) == "Gout: causes, according to the centres for disease control, in a short answer"
    assert answers(ITEMS, asked) == {0}
    assert answers(ITEMS, {"focus": "Gout"}) == {0, 1}


def test_without_noise_every_judge_finds_the_answer() -> None:
    for name, hits in cotrr.listed(task(), 0.0, 0).items():
        assert hits.ids[0, 0] == 0, name
    assert task().recall(task().hits, 1) == 0
    assert task().recall(task().hits, 3) == 1


def test_noise_is_wrong_as_often_as_it_says_and_is_repeatable() -> None:
    meets = cotrr.noisy(task(), 0.2, 0)
    wrong = [meets("0", "kind", f"{n}") for n in range(4_000)]  # none of these is its kind
    assert np.mean(wrong) == pytest.approx(0.2, abs=0.02)
    assert wrong == [meets("0", "kind", f"{n}") for n in range(4_000)]
    assert isinstance(cotrr.YesNo(task(), 0.1, 0, whole=True), Judge)


def test_verdicts_of_pure_noise_are_worth_nothing() -> None:
    many = task(3_000)
    # Verdicts on one query differ, as on many different ones.
    turn = iter(np.random.default_rng(0).random(100_000) < 0.5)
    fitted = cotrr.Tied.fit(many, lambda *_: float(next(turn)))
    assert all(abs(value) < 0.1 for values in fitted.met.values() for value in values)
    assert fitted.ranks.argmax() == 2  # where the answer was
    exact = cotrr.Tied.fit(many, cotrr.noisy(many, 0, 0))
    assert exact.rerank(many, cotrr.noisy(many, 0, 0)).ids[0, 0] == 0


def test_classes_are_told_by_least_squares() -> None:
    random = np.random.default_rng(0)
    truth = random.integers(0, 3, 120)
    vectors = (np.eye(3)[truth] + 0.1 * random.normal(size=(120, 3))).astype(np.float32)
    labels = [f"c{label}" for label in truth[:80]]
    found = cotrr.ridge(vectors, labels, list(range(80)))
    told = np.argmax([found[f"c{label}"] for label in range(3)], axis=0)
    assert (told[80:] == truth[80:]).all()


def test_malformed_replies_are_malformed_or_usable() -> None:
    kinds = [cotrr.broken(plain.Random(n), 5) for n in range(200)]
    assert {usable for _, usable in kinds} == {True, False}
    assert cotrr.fuzzed(3).verdict == "reproduced"


def test_questions_are_taken_apart() -> None:
    parts = question_parts("When did Elvis Presley die ?")
    assert list(parts) == ["type", "name elvis", "name presley", "word die"]
    assert sentence_meets("Presley died in August 1977.", "type", parts["type"]) == 1
    assert sentence_meets("Presley died young.", "type", parts["type"]) == 0
    assert sentence_meets("Presley died young.", "name presley", "presley") == 1
    assert question_parts("Who wrote it ?")["type"] == r"[A-Z][\w.]+ [A-Z]\w+"
    assert "type" not in question_parts("Why is it so ?")


def test_a_small_run() -> None:
    if not all(map(datasets.available, cotrr.INFO.data)):
        pytest.skip("a data set of the system is not on this machine")
    claims = cotrr.run(Settings(quick=True, progress=False))
    assert tuple(claim.says for claim in claims) == cotrr.INFO.claims
    assert [claim.verdict for claim in claims if claim.number in (4, 5)] == ["reproduced"] * 2
    for claim in claims:
        assert np.isfinite([*claim.measured.values(), *claim.baseline.values()]).all()
