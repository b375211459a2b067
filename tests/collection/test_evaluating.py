"""Evaluation of a collection: the numbers are those of its searches, and other tools get the same."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rich.console import Console

from similia import Collection
from similia.collection import losing
from similia.collection import results as results_
from similia.collection.dataset_items import fill
from similia.collection.evaluated import CollectionEvaluation, run_path
from similia.collection.evaluating import depth_for, evaluate_collection, evaluate_runs
from similia.collection.settings import Setting
from similia.collection.side_by_side import run_of
from similia.errors import InputError, SourceError
from similia.evaluate import evaluate
from similia.evaluate.datasets import RetrievalDataset
from similia.evaluate.formats import read_run, write_judgments, write_queries
from similia.index import kernels

Rows = Callable[..., list[dict[str, Any]]]
METRICS = ["ndcg@10", "map", "mrr", "recall@20"]


@pytest.fixture
def found(shelf: Collection, judged: tuple[dict[str, str], dict[str, dict[str, float]]]) -> CollectionEvaluation:
    return evaluate_collection(shelf, *judged, metrics=METRICS, k=20)


def test_the_numbers_are_those_of_the_searches(shelf: Collection, judged: Any, found: CollectionEvaluation) -> None:
    texts, qrels = judged
    assert list(found.trial.evaluations) == ["hybrid", "dense", "text"]
    for mode in found.trial.evaluations:
        run = {}
        for query, text in texts.items():
            keys = shelf.search(text, mode=mode, k=20).keys
            run[query] = {key: -float(rank) for rank, key in enumerate(keys)}  # the order that was shown
        expected = evaluate(run, qrels, METRICS)
        for metric in METRICS:
            np.testing.assert_allclose(found.trial.evaluations[mode][metric], expected[metric], err_msg=mode)
        assert found.milliseconds[mode] > 0
        assert found.settings[mode] == f"mode {mode}, sense topic"
    assert found.k == 20
    assert not found.partial
    assert found.coverage.judgments == 63


def test_losses_add_up_and_are_those_of_the_dense_view(judged: Any, found: CollectionEvaluation) -> None:
    assert [one.k for one in found.losses] == [10, 20]
    for one in found.losses:
        assert sum(one.lost.values()) + one.recall == pytest.approx(1)
        assert one.recall == pytest.approx(found.trial.recall["dense"][one.k])
        assert list(one.lost) == ["collection", "cut", "encoding", "metric", "index"]
        assert (one.lost["collection"], one.lost["index"], one.neighbours, one.indexed) == (0, 0, 1, False)


def test_a_list_that_is_too_short_is_a_loss_of_its_own(shelf: Collection, judged: Any) -> None:
    (one,) = evaluate_collection(shelf, *judged, metrics=["recall@2"], k=2).losses
    assert one.lost["cut"] == pytest.approx(3 / 5)  # two places for five relevant items each
    assert sum(one.lost.values()) + one.recall == pytest.approx(1)


def test_it_shows_itself_everywhere(found: CollectionEvaluation, tmp_path: Path) -> None:
    told = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert told["settings"]["dense"]["values"]["mrr"]["value"] == found.trial.evaluations["dense"].mean("mrr")
    assert 0 < told["settings"]["dense"]["differences"]["mrr"]["p"] <= 1
    assert len(told["per_query"]) == 7
    with Path("/dev/null").open("w") as nowhere:
        console = Console(width=80, record=True, file=nowhere)
        console.print(found)
    text = console.export_text()
    assert max(map(len, text.splitlines())) <= 80
    for word in ("ndcg@10", "judged@10", "ms a query", "dense against hybrid", "the hardest", "encoding"):
        assert word in text
        assert word in str(found)
    assert "<table" in found._repr_html_()
    frame = found.to_pandas()
    assert list(frame.columns[:6]) == ["query", "text", "setting", "relevant", "first_relevant", "judged@10"]
    dense = frame[frame["setting"] == "dense"]
    assert dense["mrr"].mean() == pytest.approx(found.trial.evaluations["dense"].mean("mrr"))
    assert len(found.to_polars()) == len(found.to_arrow()) == 21
    page = found.write_html(tmp_path / "report.html").read_text(encoding="utf-8")
    assert f"{told['settings']['dense']['values']['mrr']['value']:.3f}" in page


def test_runs_are_written_as_they_were_measured(judged: Any, found: CollectionEvaluation, tmp_path: Path) -> None:
    written = found.write_runs(tmp_path / "out.run.gz")
    assert [path.name for path in written] == [f"out.{mode}.run.gz" for mode in ("hybrid", "dense", "text")]
    files = {path.name.split(".")[1]: path for path in written}
    again = evaluate_runs(files, judged[1], judged[0], metrics=METRICS, k=20)
    for name, one in found.trial.evaluations.items():
        np.testing.assert_array_equal(again.trial.evaluations[name].values, one.values)
    assert again.losses == ()
    assert again.milliseconds == {}
    assert "ms a query" not in str(again)
    for name, run in found.trial.runs.items():
        assert read_run(files[name]) == run


def test_a_run_of_another_system_stands_beside(shelf: Collection, judged: Any) -> None:
    other = {"q0": {"k0001": 1.0}}
    both = evaluate_collection(
        shelf, *judged, settings={"mine": Setting("text")}, runs={"other": other}, metrics=["mrr"]
    )
    assert list(both.trial.evaluations) == ["mine", "other"]
    assert any(note == "other finds nothing for 6 of 7 queries" for note in both.notes)
    with pytest.raises(InputError, match="names a setting and a run"):
        evaluate_collection(shelf, *judged, settings={"mine": Setting("text")}, runs={"mine": other})


def test_settings_differ_in_what_they_say(shelf: Collection, judged: Any) -> None:
    shelf.senses.add("short", text="title", encoder="hashing:32")
    settings = {"a": Setting("dense"), "b": Setting("dense", "short", 0.9)}
    found = evaluate_collection(shelf, *judged, settings=settings, metrics=["mrr"], k=10)
    assert found.settings == {"a": "mode dense, sense topic", "b": "mode dense, sense short, recall 0.9"}
    assert {one.sense for one in found.losses} == {"topic", "short"}
    runs = found.trial.runs
    assert runs["b"]["q0"].keys() == set(shelf.search(judged[0]["q0"], mode="dense", sense="short").keys)


def test_judgments_of_the_collection_itself(shelf: Collection) -> None:
    with pytest.raises(InputError, match="holds no judgments in sense 'topic': make some with similia judge shelf"):
        evaluate_collection(shelf)
    shelf.judgments.add("tea", "k0001", 2)
    shelf.judgments.add("garden", "k0002", 1)
    shelf.judgments.add("garden", "k0003", 0)
    found = evaluate_collection(shelf, metrics=["mrr"])
    assert list(found.trial.texts) == ["tea", "garden"]
    some = evaluate_collection(shelf, {"first": "garden", "other": "violin"}, metrics=["mrr"])
    assert list(some.trial.texts) == ["garden"]
    assert some.coverage.without_judgments == ("violin",)


def test_files_are_read(shelf: Collection, judged: Any, found: CollectionEvaluation, tmp_path: Path) -> None:
    texts, qrels = judged
    write_queries(texts, tmp_path / "a.queries.tsv")
    write_judgments(qrels, tmp_path / "a.qrels")
    for queries in (tmp_path / "a.queries.tsv", None):  # those beside the judgments are found
        again = evaluate_collection(shelf, queries, tmp_path / "a.qrels", metrics=METRICS, k=20)
        assert again.trial.evaluations["text"].to_dict() == found.trial.evaluations["text"].to_dict()
    (tmp_path / "a.queries.tsv").unlink()
    with pytest.raises(InputError, match="names its queries by id: give their texts"):
        evaluate_collection(shelf, None, tmp_path / "a.qrels")
    (tmp_path / "own.csv").write_text("query,item,grade\ntea harbour,k0001,1\n")
    assert list(evaluate_collection(shelf, None, tmp_path / "own.csv", metrics=["mrr"]).trial.texts) == ["tea harbour"]
    (tmp_path / "none.qrels").write_text("\n")
    with pytest.raises(SourceError, match="holds no judgment"):
        evaluate_collection(shelf, texts, tmp_path / "none.qrels")
    (tmp_path / "none.tsv").write_text("")
    with pytest.raises(SourceError, match="holds no query"):
        evaluate_collection(shelf, tmp_path / "none.tsv", qrels)


@pytest.mark.skipif(not kernels.usable(), reason="Numba is not there or switched off")
def test_an_index_is_taken_up_and_its_loss_is_told(shelf: Collection, judged: Any, monkeypatch: Any) -> None:
    shelf.indexes.build(force=True, recall=0.9)
    plain = evaluate_collection(shelf, *judged, metrics=["recall@10"], k=10)
    assert not plain.losses[0].indexed  # among so few items no search uses it
    with Collection.open(shelf.path) as again:
        monkeypatch.setattr(losing, "SCANNED", 10)
        found = evaluate_collection(again, *judged, metrics=["recall@10"], k=10)
    (one,) = found.losses
    assert one.indexed
    assert one.recall == pytest.approx(found.trial.recall["dense"][10])
    assert one.lost["index"] == pytest.approx(one.metrics["cosine"] - one.recall)
    assert sum(one.lost.values()) + one.recall == pytest.approx(1)


def test_vectors_of_many_lengths_are_searched_by_every_metric(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    rows = [{"id": f"k{at}", "title": "red tea" if at % 2 else "jazz"} for at in range(60)]
    with Collection.open(tmp_path / "long", create=True) as made:
        made.add(rows, key="id", text="title", encoder="hashing:16")
        with made._space.reading() as state:
            vectors = state.vectors(state.ready("topic"))
            (part,) = vectors.parts
            stretched = part.vectors * rng.uniform(0.2, 5, (60, 1)).astype(np.float32)
            longer = replace(vectors, parts=(replace(part, vectors=stretched, lengths=None, kept=None),))
            monkey = replace(state)
            monkey.vectors = lambda row: longer  # type: ignore[method-assign]
            queries = rng.standard_normal((5, 16)).astype(np.float32)
            qrels = {f"q{at}": {f"k{int(key)}": 1.0 for key in rng.choice(60, 4, replace=False)} for at in range(5)}
            (one,) = losing.losses(monkey, "topic", queries, qrels, (7,), allowed=None, recall=None)
    for metric, scores in {
        "dot": queries @ stretched.T,
        "l2": -np.linalg.norm(queries[:, None] - stretched[None], axis=2),
        "cosine": queries @ (stretched / np.linalg.norm(stretched, axis=1, keepdims=True)).T,
    }.items():
        best = np.argsort(-scores, axis=1, kind="stable")[:, :7]
        expected = np.mean([sum(f"k{at}" in qrels[f"q{row}"] for at in best[row]) / 4 for row in range(5)])
        assert one.metrics[metric] == pytest.approx(expected, abs=0.11), metric  # equal scores may stand otherwise
    assert sum(one.lost.values()) + one.recall == pytest.approx(1)
    assert one.lost["metric"] == pytest.approx(max(one.metrics.values()) - one.metrics["cosine"])


def test_a_beir_folder_brings_queries_and_judgments(
    shelf: Collection, judged: Any, found: CollectionEvaluation, tmp_path: Path
) -> None:
    folder = tmp_path / "beir"
    write_queries(judged[0], folder, format="beir")
    write_judgments(judged[1], folder, format="beir")
    again = evaluate_collection(shelf, None, folder, metrics=METRICS, k=20)
    assert again.trial.evaluations["hybrid"].to_dict() == found.trial.evaluations["hybrid"].to_dict()


@pytest.fixture
def twins(tmp_path: Path) -> Iterator[Collection]:
    """A collection in which many items are the same, so that their scores are."""
    rows = [
        {"id": f"x{(at * 7) % 40:02d}", "title": ["red tea", "red tea", "green tea", "jazz"][at % 4]}
        for at in range(40)
    ]
    with Collection.open(tmp_path / "twins", create=True) as made:
        made.add(rows, key="id", text="title", encoder="hashing:64")
        yield made


@pytest.mark.parametrize("mode", ["text", "dense", "hybrid"])
def test_other_tools_see_equal_scores_in_the_order_that_was_shown(twins: Collection, mode: Any, tmp_path: Path) -> None:
    oracle = pytest.importorskip("pytrec_eval", reason="pytrec_eval, the oracle, is not installed")
    texts = {"q1": "red tea", "q2": "tea", "q3": "jazz tea"}
    rng = np.random.default_rng(3)
    qrels = {
        query: {f"x{at:02d}": int(rng.integers(0, 3)) for at in rng.choice(40, 12, replace=False)} for query in texts
    }
    names = {"ndcg@10": "ndcg_cut_10", "map": "map", "mrr": "recip_rank", "recall@10": "recall_10"}
    found = evaluate_collection(twins, texts, qrels, settings={"it": Setting(mode)}, metrics=list(names), k=30)
    (file,) = found.write_runs(tmp_path / "it.run")
    run = read_run(file)
    theirs = oracle.RelevanceEvaluator(qrels, {*names.values()}).evaluate(run)
    for query, text in texts.items():
        shown = twins.search(text, mode=mode, k=30)
        assert len(set(shown.scores.tolist())) < len(shown)  # ties are there
        assert list(run[query]) == shown.keys
        assert len(set(map(np.float32, run[query].values()))) == len(shown)
        np.testing.assert_allclose(list(run[query].values()), shown.scores, rtol=1e-4)
    for name, other in names.items():
        np.testing.assert_allclose(
            found.trial.evaluations["it"][name], [theirs[query][other] for query in texts], atol=1e-12, err_msg=name
        )


def test_scores_fall_strictly() -> None:
    empty = results_.empty("topic", "text", 3, 0, query="x", seconds=0.0)
    for scores in ([1.0, 1.0, 1.0], [0.0, 0.0, -0.0], [2.0, 1.0, 1.0], [1e-45, 0.0, 0.0]):
        some = results_.Results(**{**vars(empty), "keys": ["a", "b", "c"], "scores": np.float32(scores)})
        falling = list(run_of(some).values())
        assert falling[0] > falling[1] > falling[2]
    assert run_of(empty) == {}


def test_settings_are_read_from_words() -> None:
    assert Setting.parse("mode:dense, sense:topic,recall:0.9") == Setting("dense", "topic", 0.9)
    assert Setting.parse("") == Setting()
    full = Setting.parse("min_relevance:0.5,rerank:chat:http://127.0.0.1:1/v1#tiny,rerank_top:5")
    assert full.arguments() == {
        "mode": "hybrid", "min_relevance": 0.5, "rerank": "chat:http://127.0.0.1:1/v1#tiny", "rerank_top": 5
    }  # fmt: skip
    assert full.words() == "mode hybrid, min_relevance 0.5, rerank chat:http://127.0.0.1:1/v1#tiny, rerank_top 5"
    for text, message in (
        ("mode:dens", "mode 'dens' is not one of hybrid, dense, text; did you mean 'dense'"),
        (
            "mod:dense",
            "option 'mod' is not one of mode, sense, recall, min_relevance, rerank, rerank_top; did you mean",
        ),
        ("rerank_top:2.5", "rerank_top is '2.5'; it must be a whole number"),
        ("dense", "'dense' is not option:value, as in mode:dense"),
        ("recall:much", "recall is 'much'; it must be a number"),
        ("recall:2", "recall is 2"),
    ):
        with pytest.raises(InputError, match=re.escape(message)):
            Setting.parse(text)


def test_the_deepest_metric_says_how_deep_to_look() -> None:
    assert depth_for(["ndcg@10", "recall@300"], 100) == 300
    assert depth_for(["ndcg"], 100) == 100


def test_run_paths() -> None:
    assert str(run_path(Path("a/b.v2.run"), "dense", several=True)) == "a/b.v2.dense.run"
    assert str(run_path(Path("a/b.run"), "dense", several=False)) == "a/b.run"
    with pytest.raises(InputError, match="the suffix does not say"):
        run_path(Path("a/b"), "dense", several=True)


def test_names_may_be_numbers(tmp_path: Path) -> None:
    with Collection.open(tmp_path / "few", create=True) as made:
        made.add([{"id": 7, "title": "red tea"}, {"id": 8, "title": "jazz"}], key="id", text="title", encoder="hashing")
        found = evaluate_collection(made, {1: "tea"}, {1: {7: 2}}, metrics=["mrr"])  # type: ignore[dict-item]
    assert found.trial.evaluations["text"].mean("mrr") == 1


def test_same_seed_same_numbers(shelf: Collection, judged: Any) -> None:
    def numbers(seed: int) -> list[Any]:
        rows = evaluate_collection(shelf, *judged, metrics=["map"], k=20, seed=seed).trial.report
        return [(one.values, one.differences, one.p) for one in rows]

    assert numbers(0) == numbers(0)
    assert numbers(0) != numbers(1)


def test_a_collection_is_filled_with_a_data_set_and_only_with_that(tmp_path: Path, rows: Rows) -> None:
    dataset = RetrievalDataset("few", ("1", "2", "3"), ("red tea", "", "jazz"), ("q",), ("tea",), {"q": {"1": 1.0}})
    with Collection.open(tmp_path / "few", create=True) as made:
        made.add([{"id": "1", "text": "red tea"}], key="id", text="text", encoder="hashing")  # as if interrupted
        assert fill(made, dataset) == 2
        assert fill(made, dataset, encoder="hashing") == 0
        assert len(made) == 3
        found = evaluate_collection(made, {"q": "tea"}, dataset.qrels, metrics=["mrr"])
        assert found.trial.evaluations["text"].mean("mrr") == 1
        with pytest.raises(InputError, match="was made with the encoder 'hashing'"):
            fill(made, dataset, encoder="minilm")
        made.add([{"id": "mine", "text": "something"}])
        with pytest.raises(InputError, match="holds other items than data set 'few'"):
            fill(made, dataset)
    with pytest.raises(InputError, match="no run to compare"):
        evaluate_runs({}, dataset.qrels)
