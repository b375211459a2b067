"""Full-text search: what is found, in which order, and that it follows every change."""

from __future__ import annotations

import math
from collections.abc import Callable
from random import Random
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from similia.collection.store import Store
from similia.errors import InputError
from similia.index.where import Predicate

WORDS = [f"w{number}" for number in range(30)]


def bm25(texts: dict[int, list[str]], query: list[str], k1: float = 1.2, b: float = 0.75) -> dict[int, float]:
    """BM25 with FTS5's floor for frequent words, over words that the stemmer leaves alone."""
    mean = sum(map(len, texts.values())) / len(texts)
    scores: dict[int, float] = {}
    for word in dict.fromkeys(query):
        holding = [number for number, words in texts.items() if word in words]
        idf = max(math.log((len(texts) - len(holding) + 0.5) / (len(holding) + 0.5)), 1e-6)
        for number in holding:
            count = texts[number].count(word)
            part = idf * count * (k1 + 1) / (count + k1 * (1 - b + b * len(texts[number]) / mean))
            scores[number] = scores.get(number, 0.0) + part
    return scores


@pytest.fixture
def library(store: Store, add: Callable[..., Any]) -> dict[int, list[str]]:
    """200 texts whose words are as frequent as words are."""
    random = Random(3)
    texts = [random.choices(WORDS, [1 / (n + 1) for n in range(30)], k=random.randint(1, 30)) for _ in range(200)]
    texts += [[WORDS[0]], [WORDS[0], WORDS[0]]]
    items = {str(place): {"t": " ".join(words), "n": place} for place, words in enumerate(texts)}
    ids = add(items, {"n": "integer"}).ids
    return dict(zip(ids.tolist(), texts, strict=True))


@pytest.mark.parametrize("query", ["w5", "w20 w29", "w7 w7 w3", "w0", "w0 w1 w2", "w0 w25", "w9 absent"])
@pytest.mark.parametrize("k", [1, 10, 300])
def test_scores_are_bm25(store: Store, library: dict[int, list[str]], query: str, k: int) -> None:
    expected = bm25(library, query.split())
    hits = store.text_search(query, k)
    assert hits.ids.shape == hits.scores.shape == (1, k)
    found = min(k, len(expected))
    assert (hits.ids[0, found:] == -1).all()
    assert np.isneginf(hits.scores[0, found:]).all()
    best = sorted(expected.values(), reverse=True)[:found]
    np.testing.assert_allclose(hits.scores[0, :found], best, rtol=1e-4, atol=2e-5)
    for number, score in zip(hits.ids[0, :found].tolist(), hits.scores[0, :found].tolist(), strict=True):
        assert score == pytest.approx(expected[number], rel=1e-4, abs=2e-5)


def test_pages_agree(store: Store, library: dict[int, list[str]]) -> None:
    whole = store.text_search("w0 w4 w8", 300)
    assert (np.diff(whole.scores[0][whole.ids[0] >= 0]) <= 0).all()
    for k in (1, 5, 50, 150):
        part = store.text_search("w0 w4 w8", k)
        np.testing.assert_array_equal(part.ids[0], whole.ids[0, :k])
        np.testing.assert_array_equal(part.scores[0], whole.scores[0, :k])


def test_ties_are_by_id(store: Store, add: Callable[..., Any]) -> None:
    ids = add({str(number): {"t": "same words"} for number in range(9)} | {"x": {"t": "else " * 9}}).ids
    assert store.text_search("same", 5).ids[0].tolist() == ids[:5].tolist()


def test_filters_and_fields(store: Store, library: dict[int, list[str]], add: Callable[..., Any]) -> None:
    few = Predicate.parse("n < 20", {"n": "integer"})
    expected = {number for number, words in library.items() if "w3" in words and number <= 20}
    hits = store.text_search("w3", 100, where=few)
    assert set(hits.ids[0][hits.ids[0] >= 0].tolist()) == expected
    assert store.text_search("w3", 5, where=Predicate.parse("n > 9999", {"n": "integer"})).ids.max() == -1
    other = add({"new": {"title": "w3", "t": "nothing"}}).ids[0]
    assert store.text_search("w3", 3, fields=["title"]).ids[0].tolist() == [other, -1, -1]
    both = store.text_search("w3", 300, fields=["title", "t"])
    np.testing.assert_array_equal(both.ids, store.text_search("w3", 300).ids)
    assert store.text_search("w3", 3, fields=[]).ids.max() == -1
    with pytest.raises(InputError, match="field 'n' is of type integer; words are searched in category or text"):
        store.text_search("w3", 3, fields=["n"])
    with pytest.raises(InputError, match="there is no field 'nope'"):
        store.text_search("w3", 3, fields=["nope"])
    with pytest.raises(InputError, match="k is 0"):
        store.text_search("w3", 0)


def test_words_are_folded_and_stemmed(store: Store, add: Callable[..., Any]) -> None:
    ids = add({"a": {"t": "Running in Été"}, "b": {"t": "漢字 Straße"}, "c": {"t": "x"}, "d": {"t": "y"}}).ids
    for query in ("RUN", "runs", "ete", "Ete\u0301", "running AND été"):
        assert store.text_search(query, 1).ids[0, 0] == ids[0], query
    for query in ("漢字", "straße"):
        assert store.text_search(query, 1).ids[0, 0] == ids[1], query


operators = st.sampled_from(['"', "AND", "NOT", "NEAR(", ")", "*", "^", ":", "c0", "{", "a", "-"])


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(query=st.text() | st.lists(operators).map(" ".join))
def test_nothing_is_an_operator(tmp_path_factory: pytest.TempPathFactory, query: str) -> None:
    store = _shared(tmp_path_factory)
    hits = store.text_search(query, 5)
    assert (hits.scores[hits.ids >= 0] > 0).all()
    documents, counts = store.term_statistics(query)
    assert documents == 4
    assert (hits.ids[0, 0] >= 0) == any(counts.values())


_made: list[Store] = []


def _shared(factory: pytest.TempPathFactory) -> Store:
    if not _made:
        _made.append(store := Store.create(factory.mktemp("text") / "c"))
        with store.change("add", {}) as change, change.transaction():
            change.set_fields({"t": "text"})
            texts = ["a and not or near", "c0 is a column", "the star * and -", "q"]
            change.put(list("abcd"), [{"t": text} for text in texts], vectors={})
    return _made[0]


def test_empty_queries_find_nothing(store: Store, library: dict[int, list[str]]) -> None:
    for query in ("", "   ", "...", "😀", "\0"):
        assert store.text_search(query, 2).ids.tolist() == [[-1, -1]]
        assert store.term_statistics(query)[1] == {}


def test_a_whole_document_as_query(store: Store, library: dict[int, list[str]], add: Callable[..., Any]) -> None:
    long = " ".join(f"rare{number}" for number in range(5_000))
    number = add({"long": {"t": long}}).ids[0]
    assert store.text_search(long, 1).ids[0, 0] == number


def test_a_word_longer_than_the_index_takes(store: Store, add: Callable[..., Any]) -> None:
    ids = add({"a": {"t": "漢" * 20_000 + " short"}, "b": {"t": "x" * 100_000}}).ids
    assert store.text_search("short", 2).ids[0].tolist() == [ids[0], -1]
    report = store.check()
    assert report.ok
    assert report.mended == []


def test_term_statistics_follow_changes(store: Store, library: dict[int, list[str]]) -> None:
    def expected(texts: dict[int, list[str]]) -> tuple[int, dict[str, int]]:
        return len(texts), {word: sum(word in words for words in texts.values()) for word in ("w3", "w12", "none")}

    assert store.term_statistics("w3 W12 none") == expected(library)
    gone = sorted(library)[::3]
    with store.change("delete", {}) as change, change.transaction():
        change.delete(np.array(gone))
        left = {number: words for number, words in library.items() if number not in gone}
        assert store.term_statistics("w3 w12 none") == expected(left)
    assert store.term_statistics("w3 w12 none") == expected(left)
    store.undo()
    assert store.term_statistics("w3 w12 none") == expected(library)


def test_the_index_follows_every_change(store: Store, add: Callable[..., Any]) -> None:
    ids = add({"a": {"t": "first"}, "b": {"t": "second"}}).ids
    add({"a": {"t": "replaced"}}, on_duplicate="replace")
    assert store.text_search("first", 1).ids[0, 0] == -1
    assert store.text_search("replaced", 1).ids[0, 0] == ids[0]
    store.undo()
    assert store.text_search("first", 1).ids[0, 0] == ids[0]
    assert store.text_search("replaced", 1).ids[0, 0] == -1
    assert store.check().ok
