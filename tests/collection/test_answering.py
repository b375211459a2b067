"""Searches of several parts, and what is done with hits: re-ranked, cut, shown with what speaks for them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

from similia import Collection
from similia.collection.asked import UNLIKE
from similia.errors import InputError, ModelError, UnknownItem
from similia.rank import Tally

Row = dict[str, Any]


class Shortest:
    """A judge that likes short items, and knows nothing of items that hold a word."""

    name, fingerprint = "shortest", "shortest-1"

    def __init__(self, silent: str = "\0", broken: bool = False) -> None:
        self.silent, self.broken, self.tally, self.read = silent, broken, Tally(), list[str]()

    def grade(self, query: str, items: Sequence[str]) -> np.ndarray:
        if self.broken:
            raise RuntimeError("the judge fell asleep")
        self.read = list(items)
        self.tally.calls += len(items)
        return np.array([np.nan if self.silent in item else 1 / (1 + len(item)) for item in items])

    def order(self, query: str, items: Sequence[str]) -> list[int] | None:
        grades = self.grade(query, items)
        return sorted(range(len(items)), key=lambda place: -grades[place])


def vectors_of(shelf: Collection, keys: Sequence[str]) -> np.ndarray:
    with shelf._space.reading() as state:
        return state.vectors(state.ready("topic")).of(state.ids(keys)).astype(np.float64)


def unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)


def encoded(shelf: Collection, texts: Sequence[str]) -> np.ndarray:
    with shelf._space.reading() as state:
        encoder = state.space.encoder_of(state.ready("topic"))
        return encoder.encode(list(texts), side="query").vectors.astype(np.float64)


def by_hand(shelf: Collection, query: np.ndarray, without: Sequence[str]) -> list[str]:
    with shelf._space.reading() as state:
        keys = [key for key in state.store.keys(state.store.select(None)) if key not in without]
    cosines = (unit(vectors_of(shelf, keys)) @ unit(query)).astype(np.float32)
    return [keys[place] for place in np.lexsort((np.arange(len(keys)), -cosines))]


def test_several_items_are_searched_by_the_sum_of_their_directions(shelf: Collection) -> None:
    wanted, unwanted = ["k0003", "k0050"], ["k0007"]
    query = unit(vectors_of(shelf, wanted)).sum(axis=0) + UNLIKE * unit(vectors_of(shelf, unwanted)).sum(axis=0)
    found = shelf.search(like=wanted, unlike=unwanted, mode="dense", k=12)
    assert found.keys == by_hand(shelf, query, [*wanted, *unwanted])[:12]
    assert found.total == 197
    assert found.like == wanted
    assert found.unlike == unwanted
    assert found.to_dict()["unlike"] == unwanted
    assert "like k0003, like k0050, unlike k0007" in repr(found)
    assert shelf.search(like="k0003", k=1).like == "k0003"


def test_an_item_and_a_text_and_weights(shelf: Collection) -> None:
    texts = encoded(shelf, ["tea kettle", "violin"])
    query = unit(vectors_of(shelf, ["k0003"]))[0] + 2 * unit(texts)[0] - 0.7 * unit(texts)[1]
    found = shelf.search({"tea kettle": 2, "violin": -0.7}, like="k0003", mode="dense", k=9)
    assert found.keys == by_hand(shelf, query, ["k0003"])[:9]
    assert found.query == "tea kettle"
    plain = shelf.search("tea kettle", mode="dense", k=9)
    assert shelf.search({"tea kettle": 3.0}, mode="dense", k=9).keys == plain.keys
    assert shelf.search({"tea kettle": 3.0}, k=9).keys == shelf.search("tea kettle", k=9).keys


@pytest.mark.parametrize("mode", ["hybrid", "dense", "text"])
def test_no_example_is_found_itself(shelf: Collection, mode: Any) -> None:
    examples = ["k0003", "k0050", "k0007"]
    found = shelf.search("tea", like=examples[:2], unlike=examples[2:], mode=mode, k=1_000)
    assert not set(found.keys) & set(examples)
    assert found.total == 197
    there = shelf.search("tea", like=examples[:2], mode=mode, where="id = 'k0003'", k=5)
    assert there.total == 0
    assert len(there) == 0
    with pytest.raises(UnknownItem, match="k9999"):
        shelf.search("tea", unlike=["k9999"])


def test_text_alone_ignores_what_is_not_wanted(shelf: Collection) -> None:
    found = shelf.search({"tea": 1.0, "violin": -1.0}, mode="text", k=200)
    assert found.keys == shelf.search("tea", mode="text", k=200).keys


def test_a_judge_orders_the_top_and_nothing_is_lost(shelf: Collection) -> None:
    plain = shelf.search("nearest neighbour tea", k=30)
    judge = Shortest()
    found = shelf.search("nearest neighbour tea", k=30, rerank=judge, rerank_top=10)
    assert sorted(found.keys[:10]) == sorted(plain.keys[:10])
    assert found.keys[10:] == plain.keys[10:]
    assert found.scores.tolist() == plain.scores.tolist()
    lengths = [len(text) for text in judge.read]
    assert len(lengths) == 10
    wanted = [plain.keys[place] for place in np.argsort(lengths, kind="stable")]
    assert found.keys[:10] == wanted
    (stage,) = found.stages
    assert (stage.by, stage.calls, stage.failures) == ("shortest", 10, 0)
    assert stage.moved == sum(a != b for a, b in zip(wanted, plain.keys, strict=False))
    assert "rerank by shortest: 10 calls" in " ".join(repr(found.explain()).split())
    assert found.to_dict()["stages"][0]["calls"] == 10
    pages = [shelf.search("nearest neighbour tea", k=5, offset=start, rerank=Shortest(), rerank_top=10).keys
             for start in (0, 5)]  # fmt: skip
    assert pages[0] + pages[1] == found.keys[:10]


def test_a_judge_that_fails_costs_nothing_but_its_time(shelf: Collection) -> None:
    plain = shelf.search("tea", k=8)
    found = shelf.search("tea", k=8, rerank=Shortest(broken=True))
    assert found.keys == plain.keys
    assert "fell asleep" in found.note
    assert found.stages[0].moved == 0


def test_many_searches_are_finished_like_single_ones(shelf: Collection) -> None:
    queries = ["tea kettle", "nearest neighbour", "violin"]
    many = shelf.search_many(queries, k=6, rerank=Shortest(), rerank_top=4, evidence=1, progress=False)
    for query, found in zip(queries, many, strict=True):
        alone = shelf.search(query, k=6, rerank=Shortest(), rerank_top=4, evidence=1)
        assert found.keys == alone.keys
        assert found.evidence == alone.evidence


def test_a_judge_by_name_that_is_not_there(shelf: Collection, tmp_path: Any) -> None:
    with pytest.raises(ModelError, match="cross-encoder"):
        shelf.search("tea", rerank=f"pair:{tmp_path}/none")
    with pytest.raises(InputError, match="chat:ADDRESS#MODEL"):
        shelf.search("tea", rerank="chats")


def test_evidence_stands_in_the_fields_that_it_names(shelf: Collection, rows: Callable[..., list[Row]]) -> None:
    found = shelf.search("tea violin", k=5, evidence=2)
    assert found.evidence is not None
    for hit in found:
        assert hit.evidence
        for one in hit.evidence:
            assert hit.item[one.field][one.start : one.stop] == one.text
            assert {hit.item[one.field][a:b] for a, b in one.words} <= {"tea", "violin"}
    told = found.to_dict()["results"][0]["evidence"][0]
    assert set(told) == {"field", "start", "stop", "text", "score", "words"}
    assert "evidence" in repr(found.explain())
    for other in (shelf.search("tea", mode="text", k=3, evidence=1), shelf.search(like="k0003", k=3, evidence=1)):
        assert all(hit.evidence for hit in other)
    assert shelf.search("tea", k=3).evidence is None
    assert "evidence" not in shelf.search("tea", k=3).to_dict()["results"][0]


def test_nothing_is_cut_where_relevance_is_not_known(given: Collection) -> None:
    found = given.search([1.0] + [0.0] * 7, k=5, min_relevance=0.9)
    assert len(found) == 5
    assert "nothing was cut" in found.note
    assert found.presence is None


def test_a_query_about_something_else_finds_nothing(shelf: Collection) -> None:
    strange = "the sandwich in my oven smells of burnt cheese tonight"
    assert len(shelf.search(strange, k=5)) == 5
    found = shelf.search(strange, k=5, min_relevance=0.5)
    assert len(found) == 0
    assert found.presence is not None
    assert found.presence < 0.5
    assert "nothing on this" in found.note
    assert found.total == 200
    own = shelf.search("nearest neighbour graph walk vector query", k=5, min_relevance=0.5)
    assert own.keys == shelf.search("nearest neighbour graph walk vector query", k=5).keys
    assert own.calibrated == "estimated without judgments"
    assert own.relevance is None
    assert "nothing was cut" in shelf.search(like="k0003", k=5, min_relevance=0.5).note


def test_judgments_cut_single_hits(shelf: Collection) -> None:
    words = ["tea", "violin", "graph", "walk", "node", "rank", "fusion", "query", "image", "copy", "dog", "cable"]
    pairs = [f"{a} {b}" for place, a in enumerate(words) for b in words[place + 1 :]][:40]
    judged = []
    for query in pairs:
        hits = shelf.search(query, k=12)
        wanted = set(query.split())
        for hit in hits:
            held = wanted & set(f"{hit.item['title']} {hit.item['body']}".split())
            judged.append({"query": query, "item": hit.key, "grade": float(held == wanted)})
    if sum(one["grade"] > 0 for one in judged) < 20:
        pytest.skip("the made-up items hold too few pairs of words")
    shelf.judgments.add_many(judged)
    found = shelf.search("tea violin", k=50, min_relevance=0.5)
    whole = shelf.search("tea violin", k=50, min_relevance=0.0)
    assert "judged queries" in whole.calibrated
    assert whole.relevance is not None
    assert len(whole) == 50
    kept = [key for key, p in zip(whole.keys, whole.relevance, strict=True) if p >= 0.5]
    assert found.keys[: len(kept)] == kept
    assert all(hit.relevance is not None and hit.relevance >= 0.5 for hit in found)
    assert "_relevance" in found.to_pandas().columns
