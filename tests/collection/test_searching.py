"""Search against brute force, with any filter, k and offset."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from similia import Collection
from similia.collection.searching import POOL, pool_size
from similia.errors import FilterError, InputError, UnknownItem, UnknownSense
from similia.rank import Background, blend
from similia.types import Hits

Row = dict[str, Any]
Test = Callable[[Row], bool]

FILTERS: list[tuple[str | None, Test]] = [
    (None, lambda row: True),
    ("year >= 2010", lambda row: row["year"] is not None and row["year"] >= 2010),
    ("area IN ('audio', 'vision')", lambda row: row["area"] in ("audio", "vision")),
    ("NOT (price > 10) AND year IS NOT NULL", lambda row: row["price"] <= 10 and row["year"] is not None),
    ("contains(tags, 'rank') OR area = 'search'", lambda row: "rank" in row["tags"] or row["area"] == "search"),
    ("year IS NULL", lambda row: row["year"] is None),
    ("title LIKE '%tea%'", lambda row: "tea" in row["title"]),
    ("price < -1000", lambda row: False),
]


def brute_force(items: list[Row], vectors: np.ndarray, query: np.ndarray, passes: Test) -> list[tuple[str, float]]:
    """Every item that passes, by cosine in double precision rounded to float32, ties in the order of the items."""
    rows = vectors.astype(np.float64)
    direction = query.astype(np.float64)
    scores = (rows @ direction / np.linalg.norm(rows, axis=1) / np.linalg.norm(direction)).astype(np.float32)
    kept = [place for place, row in enumerate(items) if passes(row)]
    kept.sort(key=lambda place: (-scores[place], place))
    return [(items[place]["id"], float(scores[place])) for place in kept]


@pytest.mark.parametrize(("where", "passes"), FILTERS, ids=[str(where) for where, _ in FILTERS])
def test_dense_equals_brute_force(
    given: Collection, rows: Callable[..., list[Row]], where: str | None, passes: Test
) -> None:
    items = rows(300, dimension=8)
    vectors = np.array([row["vector"] for row in items], np.float32)
    rng = np.random.default_rng(3)
    for k, offset in [(1, 0), (7, 0), (10, 5), (300, 0), (10_000, 0), (5, 290), (5, 1_000), (3, 299)]:
        query = rng.standard_normal(8).astype(np.float32)
        expected = brute_force(items, vectors, query, passes)
        found = given.search(query, mode="dense", where=where, k=k, offset=offset)
        assert found.total == len(expected)
        wanted = expected[offset : offset + k]
        assert found.keys == [key for key, _ in wanted]
        np.testing.assert_allclose(found.scores, [score for _, score in wanted], rtol=0, atol=1e-6)
        assert [item["title"] for item in found.items] == [
            next(row["title"] for row in items if row["id"] == key) for key in found.keys
        ]
        assert found.views["dense"].ranks.tolist() == list(range(offset + 1, offset + 1 + len(wanted)))


@pytest.mark.parametrize(("where", "passes"), FILTERS, ids=[str(where) for where, _ in FILTERS])
def test_text_finds_exactly_the_items_that_hold_a_word(
    shelf: Collection, rows: Callable[..., list[Row]], where: str | None, passes: Test
) -> None:
    expected = {row["id"] for row in rows(200) if passes(row) and {"tea", "violin"} & set(row_words(row))}
    found = shelf.search("tea violin", mode="text", where=where, k=1_000)
    assert set(found.keys) == expected
    assert (np.diff(found.scores) <= 0).all()
    assert found.total == sum(passes(row) for row in rows(200))


def row_words(row: Row) -> list[str]:
    return f"{row['title']} {row['body']}".split()


@pytest.mark.parametrize("where", [where for where, _ in FILTERS])
@pytest.mark.parametrize(("k", "offset"), [(5, 0), (10, 20), (200, 0), (40, 190)])
def test_hybrid_is_the_fusion_of_both_views(shelf: Collection, where: str | None, k: int, offset: int) -> None:
    query = "nearest neighbour tea unique17"
    dense = shelf.search(query, mode="dense", where=where, k=10_000)
    text = shelf.search(query, mode="text", where=where, k=10_000)
    pool = pool_size(offset + k, dense.total or 0)
    views = [hits[None, :pool] for hits in (dense.ids, text.ids)]
    scores = [hits[None, :pool] for hits in (dense.scores, text.scores)]
    found = shelf.search(query, where=where, k=k, offset=offset)
    if not dense.total:
        assert len(found) == 0
        return
    both = [Hits(i, s) for i, s in zip(views, scores, strict=True)]
    with shelf._space.reading() as state:
        row = state.ready("topic")
        asked = state.space.encoder_of(row).encode([query], side="query").vectors
        mean, deviation = Background.of(state.vectors(row).all()[1]).scores(asked)
    blended = blend(*both, offset + k, mean=mean, deviation=deviation, depth=POOL)
    fused = blended.hits
    assert list(found.weights.values()) == blended.weights[0].tolist()
    wanted = fused.ids[0][fused.ids[0] >= 0][offset : offset + k]
    assert found.ids.tolist() == wanted.tolist()
    np.testing.assert_array_equal(found.scores, fused.scores[0][: offset + k][offset : offset + len(wanted)])
    for name, whole in (("dense", dense), ("text", text)):
        place = {item: rank for rank, item in enumerate(whole.ids.tolist()[:pool], start=1)}
        assert found.views[name].ranks.tolist() == [place.get(item, -1) for item in found.ids.tolist()]


def test_pages_are_pages_of_one_ranking(shelf: Collection) -> None:
    whole = shelf.search("dense vector search", k=200)
    pages = [shelf.search("dense vector search", k=20, offset=start) for start in range(0, 200, 20)]
    assert [key for page in pages for key in page.keys] == whole.keys
    assert len(set(whole.keys)) == 200


def test_the_item_itself_is_left_out(shelf: Collection) -> None:
    for mode in ("dense", "text", "hybrid"):
        found = shelf.search(like="k0007", mode=mode, k=500)
        assert "k0007" not in found.keys
        assert found.total == 199
    assert shelf.similar("k0007", where="id = 'k0007'").total == 0
    assert shelf.similar("k0007", where="id = 'k0008'").keys == ["k0008"]


def test_like_text_looks_for_the_rare_words(tmp_path: object, shelf: Collection) -> None:
    shelf.add(
        [{"id": "a", "title": "zymurgy", "body": "rank"}, {"id": "b", "title": "zymurgy", "body": "tea"}], key="id"
    )
    assert shelf.search(like="a", mode="text", k=1).keys == ["b"]


def test_text_looks_into_the_fields_of_the_sense_only(shelf: Collection) -> None:
    shelf.senses.add("name", text="title", encoder="hashing:32")
    assert shelf.search("unique17", mode="text").keys == ["k0017"]
    assert shelf.search("unique17", mode="text", sense="name").keys == []


def test_full_text_operators_are_plain_words(shelf: Collection) -> None:
    for query in [
        '"',
        "tea OR",
        "NEAR(tea violin)",
        "title:tea*",
        "(",
        "-tea",
        "a AND NOT b",
        "'; DROP TABLE items; --",
    ]:
        for mode in ("text", "hybrid", "dense"):
            shelf.search(query, mode=mode) if any(c.isalnum() for c in query) or mode != "dense" else None
    assert len(shelf) == 200


def test_a_query_without_words_is_answered_by_nothing(shelf: Collection) -> None:
    assert len(shelf.search("?!", mode="text")) == 0


def test_wrong_questions_are_refused_and_say_the_way_out(shelf: Collection, given: Collection) -> None:
    for query, options, said in [
        (None, {}, "nothing is given"),
        (None, {"unlike": "k0001"}, "only what it should not be like"),
        (None, {"like": "k0001", "unlike": ["k0001"]}, "wanted and unwanted at once"),
        ({"tea": -1.0}, {}, "nothing to look for"),
        ({"tea": 0.0}, {}, "it is a number"),
        ({"tea": "much"}, {}, "it is a number"),
        ({" ": 1.0}, {}, "maps texts to their weights"),
        ("tea", {"min_relevance": 1.5}, "0 to 1"),
        ("tea", {"rerank": "nobody"}, "names no judge"),
        ("tea", {"rerank": "chat:http://127.0.0.1:1/v1"}, "names no model"),
        ("tea", {"rerank_top": 0}, "from 1"),
        ("tea", {"evidence": -1}, "from 0"),
        ("  \n", {}, "blank"),
        ("", {}, "blank"),
        ("tea", {"k": 0}, "from 1 to 10,000"),
        ("tea", {"k": 10_001}, "from 1 to 10,000"),
        ("tea", {"k": 2.5}, "whole number"),
        ("tea", {"offset": -1}, "at least 0"),
        ("tea", {"mode": "dence"}, "did you mean 'dense'"),
        ([[1.0] * 64] * 2, {}, "takes one"),
        ([1.0] * 63, {}, "64 are needed"),
        ([float("nan")] * 64, {}, "finite"),
        ([0.0] * 64, {}, "zeros"),
        ([1.0] * 64, {"mode": "text"}, "vector"),
        ("tea", {"where": 5}, "string"),
    ]:
        with pytest.raises(InputError, match=said):
            shelf.search(query, **options)
    with pytest.raises(FilterError, match="year"):
        shelf.search("tea", where="yeer > 2000")
    with pytest.raises(UnknownSense, match="did you mean 'topic'"):
        shelf.search("tea", sense="topics")
    with pytest.raises(UnknownItem, match="did you mean 'k0"):
        shelf.search(like="k001")
    with pytest.raises(InputError, match="no encoder"):
        given.search("tea", mode="dense")


def test_hybrid_without_an_encoder_falls_back_and_says_so(given: Collection) -> None:
    found = given.search("tea")
    assert found.mode == "text"
    assert "full text alone" in found.note
    assert found.keys == given.search("tea", mode="text").keys


def test_a_vector_is_searched_by_vectors_alone(given: Collection) -> None:
    found = given.search([1.0] + [0.0] * 7)
    assert found.mode == "dense"
    assert "by vectors alone" in found.note


def test_an_empty_collection_answers_nothing(tmp_path: object) -> None:
    with Collection.open(f"{tmp_path}/empty", create=True) as empty:
        assert len(empty.search("anything")) == 0
        with pytest.raises(UnknownItem):
            empty.search(like="a")
        empty.add([{"id": 1, "title": "only words here"}], text="title", encoder="hashing")
        empty.delete(["1"])
        assert len(empty.search("words")) == 0


def test_a_sense_that_reads_no_text_is_searched_by_vectors(tmp_path: object, rows: Callable[..., list[Row]]) -> None:
    with Collection.open(f"{tmp_path}/numbers", create=True) as numbers:
        numbers.add([{"vector": row["vector"]} for row in rows(20, dimension=8)], vectors="vector")
        assert numbers.senses["topic"].fields == ()
        assert len(numbers.similar("3", k=5)) == 5
        assert "no text field" in numbers.search(like="3", k=5).note
        with pytest.raises(InputError, match="no text"):
            numbers.search("tea", mode="text")


def test_keys_may_be_given_as_numbers(tmp_path: object) -> None:
    with Collection.open(f"{tmp_path}/c", create=True) as shelf:
        shelf.add(
            [{"id": 5, "title": "some tea here"}, {"id": 6, "title": "a kettle there"}], encoder="hashing", text="title"
        )
        assert shelf[5]["title"] == "some tea here"
        assert 6 in shelf
        assert 7 not in shelf
        assert shelf.similar(5).keys == ["6"]
