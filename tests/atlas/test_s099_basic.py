"""Composed retrieval: the task and the measure by hand, and a small run without a model."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from similia.atlas import s099_basic as basic
from similia.atlas.registry import Settings
from similia.encode import Encoder, load
from similia.evaluate import datasets
from similia.types import Float32


def paper(text: str, *categories: str) -> dict[str, object]:
    return {"title": "", "abstract": text, "categories": ["cs.IR", *categories]}


def test_relevant_is_who_is_on_the_topic_and_in_the_category(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(basic, "COMMONEST", 1.0)
    topic = "red apples grow slowly."  # three phrases: red apples, apples grow, grow slowly
    papers = [
        paper(topic),
        *[paper(topic, "cs.CV") for _ in range(3)],
        *[paper(topic, "cs.SD") for _ in range(6)],
        *[paper("red apples grow quickly.", "cs.CV") for _ in range(4)],
        *[paper("something else entirely, in other words", "cs.CV") for _ in range(9)],
    ]
    task = basic.composed(papers)
    names = list(basic.CATEGORIES)
    found = {
        (example, names[category]): right.tolist()
        for example, category, right in zip(
            task.examples.tolist(), task.categories.tolist(), task.relevant, strict=True
        )
    }
    assert found[0, "cs.CV"] == [1, 2, 3]
    assert (1, "cs.CV") not in found  # it is in the category
    assert found[4, "cs.CV"] == [1, 2, 3]
    # Of the sound papers six are right, and three wrong, which is too few.
    assert (0, "cs.SD") not in found
    assert not task.hard.any()
    assert task.told.all()


def test_average_precision_of_the_trapezoids() -> None:
    assert basic.trapezoid(np.array([0, 1, 2])) == 1
    assert basic.trapezoid(np.array([1])) == pytest.approx((0 + 1 / 2) / 2)
    scores = np.array([[0.9, 0.8, 0.1, 0.7], [0.9, 0.8, 0.1, 0.7]], np.float32)
    task = basic.Task(np.array([0, 1]), np.array([0, 0]), [np.array([3]), np.array([2])], *[np.ones(2, np.bool_)] * 2)
    # Without the example, paper 3 is second for the first query, and paper 2 last of three for the second.
    np.testing.assert_allclose(basic.precisions(scores, task), [(0 + 1 / 2) / 2, (0 + 1 / 3) / 2])


def test_phrases_stop_at_punctuation_and_empty_words() -> None:
    assert set(basic.phrases_of("Deep web crawling, of the deep web. Web of things")) == {"deep web", "web crawling"}


def test_a_small_run(monkeypatch: pytest.MonkeyPatch) -> None:
    if not all(map(datasets.available, basic.INFO.data)):
        pytest.skip("a data set of the system is not on this machine")

    def encode(encoder: Encoder, texts: Sequence[str], **rest: object) -> Float32:
        return encoder.encode(texts).vectors

    monkeypatch.setattr(basic, "load", lambda name: load("hashing:64"))
    monkeypatch.setattr(basic, "encode", encode)
    monkeypatch.setattr(basic, "DIRECTIONS", 20)
    claims = basic.run(Settings(quick=True, progress=False))
    assert tuple(claim.says for claim in claims) == basic.INFO.claims
    assert [claim.number for claim in claims] == [1, 2, 3, 4, 5]
    for claim in claims[:-1]:
        values = [*claim.measured.values(), *claim.baseline.values()]
        assert values
        assert np.isfinite(values).all()
        assert claim.verdict in ("reproduced", "not reproduced")
    assert claims[-1].verdict == "not run"
    # The first and last weights of the sweep are the parts by themselves.
    by_weight, alone = claims[2].baseline, claims[0].baseline
    assert by_weight["weight 0.0, mAP"] == pytest.approx(alone["example alone, mAP"])
    assert by_weight["weight 1.0, mAP"] == pytest.approx(alone["text alone, mAP"])
    assert by_weight["weight 0.5, mAP"] == pytest.approx(alone["sum, mAP"], abs=0.05)
