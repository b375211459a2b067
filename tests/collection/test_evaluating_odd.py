"""Evaluation of a collection when something is odd: it is named, the rest is measured, and nothing is lost."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from similia import Collection
from similia.collection import losing
from similia.collection import results as results_
from similia.collection.evaluating import evaluate_collection
from similia.collection.settings import Setting
from similia.collection.side_by_side import TOGETHER
from similia.errors import InputError, StorageError, UnknownSense

Rows = Callable[..., list[dict[str, Any]]]
METRICS = ["ndcg@10", "map", "mrr", "recall@20"]


def test_unknown_items_count_as_missed_unless_they_are_dropped(shelf: Collection, judged: Any) -> None:
    texts, qrels = judged
    more = {**qrels, "q0": {**qrels["q0"], "gone1": 1.0, "gone2": 0.0}}
    kept = evaluate_collection(shelf, texts, more, metrics=["recall@100"])
    dropped = evaluate_collection(shelf, texts, more, metrics=["recall@100"], drop_unknown=True)
    plain = evaluate_collection(shelf, texts, qrels, metrics=["recall@100"])
    assert kept.coverage.unknown == ("gone1", "gone2")
    said = "2 judged items (gone1, gone2) are not in the collection: "
    assert any(note.startswith(said + "counted as missed") for note in kept.notes)
    assert said + "left out" in dropped.notes
    values = [one.trial.evaluations["text"]["recall@100"] for one in (kept, dropped, plain)]
    np.testing.assert_array_equal(values[1], values[2])
    assert values[0][0] == pytest.approx(values[2][0] * 5 / 6)
    assert kept.losses[0].lost["collection"] == pytest.approx(1 / 6 / 7)
    assert dropped.losses[0].lost["collection"] == 0
    with pytest.raises(InputError, match=r"none of the 2 judged items is in collection 'shelf'; they are called x, y"):
        evaluate_collection(shelf, texts, {"q0": {"x": 1, "y": 1}})


def test_a_filter_costs_what_it_keeps_out(shelf: Collection, judged: Any) -> None:
    texts, qrels = judged
    found = evaluate_collection(shelf, texts, qrels, where="area = 'search'", metrics=["recall@200"])
    inside = {item["id"] for item in shelf.get([f"k{at:04d}" for at in range(200)]) if item["area"] == "search"}
    out = sum(grade > 0 and item not in inside for one in qrels.values() for item, grade in one.items())
    assert found.coverage.filtered == out
    assert f"the filter keeps {out} relevant items out, which count as missed" in found.notes
    (_, deep) = found.losses
    assert deep.lost["filter"] == pytest.approx(out / 35)
    assert deep.recall == pytest.approx(found.trial.evaluations["dense"].mean("recall@200"))
    assert sum(deep.lost.values()) + deep.recall == pytest.approx(1)


def test_queries_and_judgments_that_do_not_meet_are_counted(shelf: Collection, judged: Any) -> None:
    texts, qrels = judged
    odd = {**qrels, "lost": {"k0001": 1.0}, "q1": {"k0002": 0.0}}
    del odd["q2"]
    found = evaluate_collection(shelf, texts, odd, metrics=["mrr"])
    coverage = found.coverage
    assert (coverage.asked, coverage.judged) == (7, 7)
    assert coverage.without_judgments == ("q2",)
    assert coverage.without_text == ("lost",)
    assert coverage.without_relevant == ("q1",)
    assert found.trial.counted == 5
    said = " · ".join(found.notes)
    assert "1 query (q2) is not judged and not asked" in said
    assert "1 judged query (lost) is left out, having no text here" in said
    assert "1 query (q1) is in no mean, for nothing is relevant" in said
    assert math.isnan(found.trial.evaluations["text"]["mrr"][1])
    with pytest.raises(InputError, match=r"called q0, q1, q2, \.\.\., and the judged ones 1, 2"):
        evaluate_collection(shelf, texts, {"1": {"k0001": 1}, "2": {"k0001": 1}})
    with pytest.raises(InputError, match="no query has a relevant item"):
        evaluate_collection(shelf, texts, {"q1": {"k0002": 0.0}})
    with pytest.raises(InputError, match="no judgments"):
        evaluate_collection(shelf, texts, {})


def test_one_query_has_no_interval_and_says_why(shelf: Collection, judged: Any) -> None:
    found = evaluate_collection(shelf, {"q0": "tea harbour"}, judged[1], metrics=["mrr"])
    assert any("one query: no interval and no test" in note for note in found.notes)
    told = found.to_dict()
    assert told["settings"]["text"]["values"]["mrr"]["low"] is None
    assert "±" not in str(found)
    assert "1 query," in str(found)
    found._repr_html_()


def test_what_a_default_cannot_do_is_left_out_and_what_was_asked_for_is_an_error(given: Collection) -> None:
    qrels = {"tea": {"k0001": 1.0}, "garden violin": {"k0002": 1.0}}
    found = evaluate_collection(given, None, qrels, metrics=["mrr"])
    assert list(found.trial.evaluations) == ["hybrid", "text"]
    assert found.notes[0].startswith("dense is left out: sense 'topic' has vectors that were given")
    assert any("hybrid: sense 'topic' has vectors" in note and note.endswith("(2 queries)") for note in found.notes)
    assert found.losses == ()
    with pytest.raises(InputError, match="setting 'mine': sense 'topic' has vectors that were given"):
        evaluate_collection(given, None, qrels, settings={"mine": Setting("dense")})


def test_a_query_that_cannot_be_asked_finds_nothing(shelf: Collection, judged: Any) -> None:
    texts, qrels = judged
    found = evaluate_collection(shelf, {**texts, "odd": "?!"}, {**qrels, "odd": {"k0001": 1.0}}, metrics=["mrr"], k=10)
    assert found.trial.runs["dense"]["odd"] == {}
    (note,) = (note for note in found.notes if note.startswith("dense: "))
    assert note.endswith("points nowhere (1 query)")
    assert found.losses[0].recall == pytest.approx(found.trial.recall["dense"][10])


class Stopped:
    """A collection of which a search after so many is stopped."""

    def __init__(self, shelf: Collection, after: int, how: BaseException) -> None:
        self._shelf, self._left, self._how = shelf, after, how

    def __getattr__(self, name: str) -> Any:
        return getattr(self._shelf, name)

    def search_many(self, *arguments: Any, **more: Any) -> list[results_.Results]:
        if self._left == 0:
            raise self._how
        self._left -= 1
        return self._shelf.search_many(*arguments, **more)


@pytest.mark.parametrize("how", [KeyboardInterrupt(), StorageError("the disk refuses")], ids=["Ctrl-C", "disk"])
def test_interrupted_it_keeps_what_was_finished_in_every_setting(
    shelf: Collection, how: BaseException, tmp_path: Path
) -> None:
    rng = np.random.default_rng(0)
    words = ["tea", "garden", "violin", "rank", "fusion", "audio", "paper", "glacier"]
    texts = {f"q{at}": " ".join(rng.choice(words, 2)) for at in range(2 * TOGETHER + 5)}
    qrels = {query: {f"k{rng.integers(200):04d}": 1.0, "gone": 1.0} for query in texts}
    whole = evaluate_collection(shelf, texts, qrels, metrics=["mrr"], k=10)
    stopped = evaluate_collection(Stopped(shelf, 5, how), texts, qrels, metrics=["mrr"], k=10)  # type: ignore[arg-type]
    assert stopped.partial
    assert stopped.ended == (str(how) or "interrupted")
    assert list(stopped.trial.texts) == list(texts)[:TOGETHER]
    assert stopped.notes[0].startswith(f"partial: ended after {TOGETHER} of {len(texts)} queries (")
    for name, one in stopped.trial.evaluations.items():
        np.testing.assert_array_equal(one.values, whole.trial.evaluations[name].values[:, :TOGETHER])
    assert stopped.planned == len(texts)
    assert "partial: ended after" in stopped.write_html(tmp_path / "r.html").read_text(encoding="utf-8")
    assert "(partial)" in str(stopped)
    with pytest.raises(type(how)):  # nothing was finished
        evaluate_collection(Stopped(shelf, 2, how), texts, qrels, metrics=["mrr"])  # type: ignore[arg-type]


@pytest.mark.parametrize("how", [KeyboardInterrupt(), StorageError("the disk refuses")], ids=["Ctrl-C", "disk"])
def test_interrupted_in_the_funnel_only_that_is_missing(
    shelf: Collection, judged: Any, how: BaseException, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(*_: object, **__: object) -> None:
        raise how

    whole = evaluate_collection(shelf, *judged, metrics=["mrr"])
    monkeypatch.setattr(losing, "losses", stop)
    found = evaluate_collection(shelf, *judged, metrics=["mrr"])
    assert found.partial
    assert found.losses == ()
    assert found.notes[0].startswith("partial: where relevant items are lost is not told (")
    assert found.trial.evaluations["dense"].to_dict() == whole.trial.evaluations["dense"].to_dict()


def test_writers_meanwhile_change_nothing(shelf: Collection, rows: Rows, judged: Any) -> None:
    class Written(Stopped):
        def search_many(self, *arguments: Any, **more: Any) -> list[results_.Results]:
            with Collection.open(shelf.path) as other:
                other.delete(["k0001"] if "k0001" in other else ["k0002"] if "k0002" in other else ["k0003"])
            return self._shelf.search_many(*arguments, **more)

    before = evaluate_collection(shelf, *judged, metrics=["map"])
    during = evaluate_collection(Written(shelf, 0, KeyboardInterrupt()), *judged, metrics=["map"])  # type: ignore[arg-type]
    for name, one in before.trial.evaluations.items():
        np.testing.assert_array_equal(one.values, during.trial.evaluations[name].values)
    assert "k0001" not in shelf


def test_probabilities_are_compared_with_judgments(shelf: Collection) -> None:
    class Sayer(Stopped):
        def search_many(self, *arguments: Any, **more: Any) -> list[results_.Results]:
            found = self._shelf.search_many(*arguments, **more)
            if more["mode"] == "text":
                return found
            return [replace(one, relevance=np.linspace(0.9, 0.1, len(one), dtype=np.float32)) for one in found]

    keys = shelf.search("garden", mode="dense", k=3).keys
    qrels = {"garden": {keys[0]: 1.0, keys[1]: 0.0, keys[2]: 2.0}, "tea": {"k0001": 1.0}}
    settings = {"a": Setting("dense"), "b": Setting("text")}
    found = evaluate_collection(
        Sayer(shelf, 0, KeyboardInterrupt()), None, qrels, settings=settings, k=3, metrics=["mrr"]
    )  # type: ignore[arg-type]
    assert list(found.calibration) == ["a"]
    one = found.calibration["a"]
    assert one.results == 6
    assert one.judged == 3 + ("k0001" in found.trial.runs["a"]["tea"])
    told = found.to_dict()["calibration"]["a"]
    assert told["error"] == pytest.approx(one.error)
    assert "probabilities are off by" in str(found)
    higher = evaluate_collection(
        Sayer(shelf, 0, KeyboardInterrupt()), None, qrels, settings=settings, k=3, metrics=["mrr"], relevant_from=2
    )  # type: ignore[arg-type]
    assert higher.calibration["a"].precision < one.precision


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"metrics": []}, "give a list of names"),
        ({"metrics": "mrr"}, "give a list of names"),
        ({"metrics": ["mrr", "mrr"]}, "'mrr' is given twice"),
        ({"metrics": ["recall@20000"]}, "20,000; it must be from 1 to 10,000"),
        ({"metrics": ["mrr@0"]}, "whole number above 0"),
        ({"k": 0}, "k is 0"),
        ({"limit": 0}, "limit is 0"),
        ({"seed": -1}, "seed is -1"),
        ({"settings": {}}, "no setting"),
        ({"settings": {"a b": Setting()}}, "'a b' cannot name a setting"),
        ({"settings": {"a": "dense"}}, r"give Setting\(mode='dense'\)"),
        ({"queries": ["tea", " "]}, "must be a text that is not blank"),
        ({"queries": []}, "there is no query"),
        ({"where": "yeer > 3"}, "yeer"),
        ({"judgments": {"q0": {"k0001": math.nan}}}, "query 'q0', item 'k0001': the grade nan is no finite number"),
        ({"judgments": {"q0": {"k0001": "good"}}}, "the grade 'good' is no finite number"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_wrong_use_is_named(shelf: Collection, judged: Any, more: dict[str, Any], message: str) -> None:
    texts, qrels = judged
    with pytest.raises(InputError, match=message):
        evaluate_collection(shelf, **{"queries": texts, "judgments": qrels, **more})
    with pytest.raises(UnknownSense, match="no sense 'topik'"):
        evaluate_collection(shelf, texts, qrels, sense="topik")
