"""Cross fusion, localiser and their tokens: against loops, finite differences and what a text shows by itself."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from similia.encode import TransformerEncoder, load
from similia.errors import FingerprintMismatch, InputError
from similia.rank.fusing import CrossFusion, FusedLocator, Localizer, PlacedTokens, place_tokens, token_spans
from similia.rank.fusing.block import NAMES, SHARPNESS, Batch, backward, forward, new_parameters, pointer_loss
from similia.types import MultiVector, ragged


def some_batch(random: np.random.Generator, dimension: int = 6) -> Batch:
    asked = np.arange(4) < np.array([4, 2, 3])[:, None]
    there = np.arange(5) < np.array([5, 4, 2])[:, None]
    target = there & (np.arange(5) < 2) & (np.arange(5) >= np.array([0, 1, 0])[:, None])
    queries, items = (random.normal(size=(3, n, dimension)) * 0.3 for n in (4, 5))
    return Batch(queries * asked[..., None], asked, items * there[..., None], there, target)


def some_parameters(random: np.random.Generator) -> dict[str, Any]:
    drawn = new_parameters(6, 2, 3, random, alike=False)
    return {name: values + 0.1 * random.normal(size=values.shape) for name, values in drawn.items()}


# -- block


def test_the_gradient_is_that_of_finite_differences() -> None:
    random = np.random.default_rng(0)
    parameters, batch = some_parameters(random), some_batch(random)
    slopes = backward(parameters, forward(parameters, batch), batch)
    for name in NAMES:
        values = parameters[name]
        for at in [tuple(random.integers(values.shape)) for _ in range(12)]:
            middle, losses = values[at], []
            for step in (1e-5, -1e-5):
                values[at] = middle + step
                losses.append(pointer_loss(forward(parameters, batch), batch))
            values[at] = middle
            assert slopes[name][at] == pytest.approx((losses[0] - losses[1]) / 2e-5, rel=1e-5, abs=1e-8)


def test_the_block_is_what_the_loops_say() -> None:
    random = np.random.default_rng(1)
    parameters, batch = some_parameters(random), some_batch(random)
    trace = forward(parameters, batch)
    for pair in range(3):
        queries = batch.queries[pair][batch.asked[pair]] @ parameters["query_head"]
        items = batch.items[pair][batch.there[pair]] @ parameters["item_head"]
        fused = queries.copy()
        for head in range(2):
            for row, query in enumerate(queries):
                logits = np.array(
                    [
                        SHARPNESS * (query @ parameters["asks"][:, head]) @ (item @ parameters["answers"][:, head])
                        for item in items
                    ]
                )
                shares = np.exp(logits) / np.exp(logits).sum()
                np.testing.assert_allclose(trace.attention[pair, head, row][batch.there[pair]], shares, rtol=1e-5)
                fused[row] += shares @ items @ parameters["reads"][:, head] @ parameters["writes"][head]
        read = (fused - queries).mean(axis=0)
        np.testing.assert_allclose(trace.pooled[pair], read, rtol=1e-5, atol=1e-7)
        pointed = read @ parameters["points"] @ parameters["pointed"].T
        raised = np.exp(SHARPNESS * items @ pointed)
        np.testing.assert_allclose(trace.chances[pair][batch.there[pair]], raised / raised.sum(), rtol=1e-5)
    assert (trace.attention[~np.broadcast_to(batch.there[:, None, None], trace.attention.shape)] == 0).all()
    assert (trace.chances[~batch.there] == 0).all()


# -- cross fusion


def test_a_fused_query_is_itself_and_what_each_head_read() -> None:
    model, queries, items = small(alike=False)
    asked, known = queries.vectors[:2], items.vectors[:5]
    found = model(asked, known)
    weights = model.parameters_
    expected = asked @ weights["query_head"]
    for head in range(2):
        read = found.attention[head] @ (known @ weights["item_head"]) @ weights["reads"][:, head]
        expected = expected + read @ weights["writes"][head]
    np.testing.assert_allclose(found.fused, expected, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(found.attention.sum(axis=2), 1, rtol=1e-5)
    np.testing.assert_allclose(found.chances.sum(), 1, rtol=1e-5)


def puzzle(count: int, random: np.random.Generator, turn: Any) -> tuple[MultiVector, MultiVector, Any, Any]:
    """Items of four spans; a query is the turned direction of one of them, so that likeness as it is tells nothing."""
    items, queries, targets = [], [], []
    for _ in range(count):
        directions = random.normal(size=(4, 16))
        directions /= np.linalg.norm(directions, axis=1, keepdims=True)
        lengths = random.integers(1, 4, size=4)
        edges = np.concatenate(([0], np.cumsum(lengths)))
        at = int(random.integers(4))
        items.append(np.repeat(directions, lengths, axis=0))
        queries.append(np.repeat(directions[at : at + 1] @ turn, 2, axis=0))
        targets.append(edges)
        targets[-1] = (edges, at)
    return ragged(queries, 16), ragged(items, 16), [edges for edges, _ in targets], np.array([at for _, at in targets])


def found_right(model: CrossFusion, queries: MultiVector, items: MultiVector, edges: Any, right: Any) -> float:
    localizer = Localizer("sum")
    best = [
        np.argmax(localizer(model(query, item).attention, np.stack([own[:-1], own[1:]], axis=1)))
        for query, item, own in zip(queries, items, edges, strict=True)
    ]
    return float(np.mean(np.array(best) == right))


def test_attention_learns_where_the_answer_is() -> None:
    random = np.random.default_rng(0)
    turn = np.linalg.qr(random.normal(size=(16, 16)))[0]
    queries, items, edges, right = puzzle(400, random, turn)
    targets = [(own[at], own[at + 1]) for own, at in zip(edges, right, strict=True)]
    settings: dict[str, Any] = {"heads": 2, "width": 16, "epochs": 15, "rate": 5e-3, "holdout": 0, "alike": False}
    new = puzzle(100, random, turn)
    models = {
        alpha: CrossFusion(alpha=alpha, **settings).fit(queries, items, np.arange(400), targets) for alpha in (0.0, 0.5)
    }
    assert found_right(models[0.5], *new) >= found_right(models[0.0], *new) + 0.2


def small(**settings: Any) -> tuple[CrossFusion, MultiVector, MultiVector]:
    random = np.random.default_rng(0)
    items = ragged(random.normal(size=(30, 5, 8)), 8)
    queries = ragged([item[1:3] + 0.1 for item in items], 8)
    given: dict[str, Any] = {"heads": 2, "width": 4, "epochs": 3} | settings
    return CrossFusion(**given).fit(queries, items, np.arange(30), [(1, 3)] * 30), queries, items


def test_same_seed_same_model_and_without_the_pointer_the_block_stays() -> None:
    first, second, other = small()[0], small()[0], small(seed=1)[0]
    for name in NAMES:
        np.testing.assert_array_equal(first.parameters_[name], second.parameters_[name])
    assert (first.parameters_["asks"] != other.parameters_["asks"]).any()
    none = small(alpha=0, holdout=0)[0].parameters_
    assert (none["query_head"] != np.eye(8)).any()
    np.testing.assert_array_equal(none["asks"], none["answers"])
    np.testing.assert_array_equal(none["points"], none["pointed"])


def test_the_heads_learn_to_retrieve() -> None:
    random = np.random.default_rng(3)
    turn = np.linalg.qr(random.normal(size=(16, 16)))[0]
    queries, items, edges, right = puzzle(300, random, turn)
    targets = [(own[at], own[at + 1]) for own, at in zip(edges, right, strict=True)]
    model = CrossFusion(alpha=0, epochs=40, rate=0.1, holdout=0).fit(queries, items, np.arange(300), targets)

    def recall(asked: Any, known: Any) -> float:
        return float(((asked @ known.T).argmax(axis=1) == np.arange(len(asked))).mean())

    plain = [np.stack([part.mean(axis=0) for part in side]) for side in (queries, items)]
    assert recall(model.query_vectors(queries), model.item_vectors(items)) > recall(*plain) + 0.1
    np.testing.assert_allclose(np.linalg.norm(model.item_vectors(items), axis=1), 1, rtol=1e-5)


def test_items_of_one_topic_are_not_held_against_each_other() -> None:
    items = ragged(np.random.default_rng(0).normal(size=(6, 1, 4)), 4)
    model = CrossFusion(alpha=0, heads=1, width=2, holdout=0, epochs=2)
    model.fit(items, items, np.arange(6), [(0, 1)] * 6, groups=np.zeros(6))
    np.testing.assert_array_equal(model.parameters_["query_head"], np.eye(4))


def test_what_was_saved_is_read_again(tmp_path: Path) -> None:
    model, queries, items = small(encoder="e" * 64)
    model.save(tmp_path / "m.npz")
    again = CrossFusion.load(tmp_path / "m.npz")
    fused, same = (each(queries.vectors[:2], items.vectors[:5]) for each in (model, again))
    np.testing.assert_array_equal(fused.attention, same.attention)
    np.testing.assert_array_equal(fused.fused, same.fused)
    np.testing.assert_allclose(fused.weights.sum(), 1, rtol=1e-5)
    assert (again.epoch_, again.encoder) == (model.epoch_, "e" * 64)
    again.check("e" * 64)
    with pytest.raises(FingerprintMismatch):
        again.check("f" * 64)
    with np.load(tmp_path / "m.npz") as stored:
        arrays = dict(stored)
    wrong: list[dict[str, Any]] = [
        {"asks": arrays["asks"][:, :, :1]},
        {"reads": np.full_like(arrays["reads"], np.nan)},
        {"about": np.array(json.dumps({**json.loads(str(arrays["about"])), "format": 9}))},
        {"about": np.array(json.dumps({**json.loads(str(arrays["about"])), "heads": "two"}))},
    ]
    for change in wrong:
        np.savez(tmp_path / "bad.npz", **{**arrays, **change})
        with pytest.raises(InputError):
            CrossFusion.load(tmp_path / "bad.npz")
    (tmp_path / "bad.npz").write_bytes(b"PK no")
    with pytest.raises(InputError):
        CrossFusion.load(tmp_path / "bad.npz")


def test_bad_input_is_refused_in_words() -> None:
    model, queries, items = small()
    one = np.arange(30)
    spans = [(1, 3)] * 30
    empty = ragged([*list(items)[:-1], np.empty((0, 8))], 8)
    calls: list[tuple[str, Any]] = [
        ("item 29 has no tokens", lambda: CrossFusion().fit(queries, empty, one, spans)),
        ("item 29 has no tokens", lambda: model.item_vectors(empty)),
        ("query 0 has no tokens", lambda: model.query_vectors(ragged([[]], 8))),
        ("dimensions", lambda: model.query_vectors(ragged([[[1.0, 2]]], 2))),
        ("dimensions", lambda: CrossFusion().fit(ragged([[[1.0]]], 1), items, [0], [(0, 1)])),
        ("answers", lambda: CrossFusion().fit(queries, items, one[1:], spans)),
        ("there are 30", lambda: CrossFusion().fit(queries, items, one + 1, spans)),
        ("target 29 is", lambda: CrossFusion().fit(queries, items, one, [*spans[1:], (3, 6)])),
        ("target 29 is", lambda: CrossFusion().fit(queries, items, one, [*spans[1:], (3, 3)])),
        ("29 spans", lambda: CrossFusion().fit(queries, items, one, spans[1:])),
        ("groups", lambda: CrossFusion().fit(queries, items, one, spans, groups=[0])),
        ("none to learn from", lambda: CrossFusion().fit(ragged([], 8), items, [], [])),
        ("not fitted", lambda: CrossFusion()(queries.vectors[:2], items.vectors[:5])),
        ("the item has no tokens", lambda: model(queries.vectors[:2], np.empty((0, 8)))),
        ("the query has no tokens", lambda: model([], items.vectors[:2])),
        ("NaN", lambda: model(np.full((1, 8), np.nan), items.vectors[:2])),
        ("alpha", lambda: CrossFusion(alpha=-1)),
        ("at least 1", lambda: CrossFusion(heads=0)),
    ]
    for words, call in calls:
        with pytest.raises(InputError, match=words):
            call()
    assert model.item_vectors(ragged([], 8)).shape == (0, 8)


# -- localiser


@given(st.data())
def test_a_span_has_the_attention_of_its_tokens(data: st.DataObject) -> None:
    tokens = data.draw(st.integers(1, 12))
    random = np.random.default_rng(data.draw(st.integers(0, 99)))
    attention = random.dirichlet(np.ones(tokens), size=(2, 3))
    places = st.tuples(st.integers(0, tokens), st.integers(0, tokens)).map(sorted)
    spans = np.array(data.draw(st.lists(places, max_size=5)), np.int64).reshape(-1, 2)
    weights = attention.reshape(6, tokens).mean(axis=0)
    sums = [sum(weights[a:z]) for a, z in spans]
    means = [np.mean(weights[a:z]) if a < z else 0 for a, z in spans]
    np.testing.assert_allclose(Localizer("sum")(attention, spans), sums, atol=1e-6)
    np.testing.assert_allclose(Localizer("mean")(attention, spans), means, atol=1e-6)
    np.testing.assert_allclose(Localizer("sum")(weights, spans), sums, atol=1e-6)


def test_the_pooling_is_chosen_on_examples() -> None:
    attention, spans = [0.3, 0.1, 0.1, 0.3, 0.2], [(0, 1), (1, 5)]
    first, second = np.array([True, False]), np.array([False, True])
    assert Localizer().fit([attention], [spans], [second]).pooling == "sum"
    assert Localizer("sum").fit([attention], [spans], [first]).pooling == "mean"
    both = Localizer("sum").fit([attention] * 3, [spans, spans, []], [first, second, np.empty(0, np.bool_)])
    assert (both.pooling, both.right_) == ("mean", {"mean": 0.5, "sum": 0.5})


def test_localiser_refuses_what_is_no_attention() -> None:
    good = np.array([True])
    calls: list[tuple[str, Any]] = [
        ("pooling", lambda: Localizer("max")),  # type: ignore[arg-type]
        ("at least 0", lambda: Localizer()([-0.1, 1.1], [(0, 1)])),
        ("at least 0", lambda: Localizer()([np.nan], [(0, 1)])),
        ("shape", lambda: Localizer()(np.ones((2, 2)), [(0, 1)])),
        ("within the 2 tokens", lambda: Localizer()([0.5, 0.5], [(0, 3)])),
        ("within the 2 tokens", lambda: Localizer()([0.5, 0.5], [(1, 0)])),
        ("whole numbers", lambda: Localizer()([0.5, 0.5], [(0.0, 1.0)])),
        ("one each", lambda: Localizer().fit([[1.0]], [], [good])),
        ("expected bool", lambda: Localizer().fit([[1.0]], [[(0, 1)]], [np.array([1])])),
        ("no example", lambda: Localizer().fit([], [], [])),
    ]
    for words, call in calls:
        with pytest.raises(InputError, match=words):
            call()
    assert Localizer()([1.0], []).shape == (0,)


# -- places of tokens


@given(st.lists(st.integers(1, 4), max_size=8), st.integers(0, 40), st.integers(0, 40))
def test_tokens_belong_to_the_span_of_their_last_character(lengths: list[int], one: int, other: int) -> None:
    stops = np.cumsum([0, *lengths])
    places = np.stack([stops[:-1], stops[1:]], axis=1)
    start, stop = sorted((one, other))
    (found,) = token_spans(places, [(start, stop)]).tolist()
    inside = [at for at, (_, z) in enumerate(places.tolist()) if start < z <= stop]
    assert list(range(*found)) == inside


@pytest.fixture(scope="module")
def encoder() -> TransformerEncoder:
    loaded = load("minilm")
    assert isinstance(loaded, TransformerEncoder)
    return loaded


def test_every_token_stands_where_its_text_says(encoder: TransformerEncoder) -> None:
    texts = ["Naïve copies.  They work!\n\nDo they?", "", "...", "A \ud800 lone one. 猫 sat."]
    found = place_tokens(encoder, texts)
    assert len(found) == 4
    seen = [[text[a:z] for a, z in found.places_of(row).tolist()] for row, text in enumerate(texts)]
    assert seen[0] == ["Naïve", "copies", ".", "They", "work", "!", "Do", "they", "?"]
    assert seen[1] == seen[2] == []
    assert [part for part in seen[3] if part != "\ud800"] == ["A", "lone", "one", ".", "猫", "sat", "."]
    own = encoder.encode_tokens([texts[0]]).vectors
    np.testing.assert_allclose((found.tokens.vectors[:9] * own).sum(axis=1), 1, atol=1e-3)
    assert len(place_tokens(encoder, [])) == 0


def test_what_is_longer_than_the_window_is_split_between_sentences(encoder: TransformerEncoder) -> None:
    text = " ".join(f"The number of this line is {place}." for place in range(400))
    found = place_tokens(encoder, [text])
    assert len(found.places) > 8 * 256  # what the encoder would read
    written = [text[a:z] for a, z in found.places.tolist()]
    assert "".join(written) == text.replace(" ", "")


def test_a_prompt_has_no_place(encoder: TransformerEncoder) -> None:
    from dataclasses import replace

    asking = TransformerEncoder(replace(encoder.settings, prompts={"query": "query: "}))
    found = place_tokens(asking, ["two words"], side="query")
    assert found.places.tolist() == [[-1, -1], [-1, -1], [0, 3], [4, 9]]
    assert token_spans(found.places, [(0, 9)]).tolist() == [[2, 4]]


def test_places_need_a_transformer_and_texts(encoder: TransformerEncoder) -> None:
    with pytest.raises(InputError, match="where its tokens stand"):
        place_tokens(load("hashing:64"), ["a"])
    with pytest.raises(InputError, match="list of strings"):
        place_tokens(encoder, "a")
    with pytest.raises(InputError, match="item 1"):
        place_tokens(encoder, ["a", 7])  # type: ignore[list-item]
    with pytest.raises(InputError, match="two a token"):
        PlacedTokens(ragged([[[1.0]]], 1), np.empty((0, 2), np.int64))


# -- locator


@pytest.fixture(scope="module")
def locator(encoder: TransformerEncoder) -> FusedLocator:
    texts = ["A cat sat on the mat. It rained.", "We fly to Rome. Tea is hot."]
    queries, items = place_tokens(encoder, ["cats", "drinks"], side="query"), place_tokens(encoder, texts)
    fusion = CrossFusion(epochs=1, holdout=0, encoder=encoder.fingerprint)
    return FusedLocator(encoder, fusion.fit(queries.tokens, items.tokens, [0, 1], [(0, 7), (5, 9)]))


def test_one_sentence_is_the_answer_and_nothing_has_none(locator: FusedLocator) -> None:
    items = [{"a": None, "b": "Zebras run. Far.", "c": "Lions sleep."}, "Only this.", ""]
    fields, one, none = locator.locate("zebra", items)
    assert [found.text for found in one] == ["Only this."]
    assert one[0].score > 0
    assert none == []
    assert (fields[0].field, fields[0].text) == ("b", "Zebras run.")
    assert {(found.field, found.text) for found in fields[1:]} == {("b", "Far."), ("c", "Lions sleep.")}
    assert fields[0].words == ((0, 6),)
    assert locator.locate("zebra", []) == []
    alone = [locator.locate("zebra", [item])[0] for item in items]
    for together, own in zip((fields, one, none), alone, strict=True):
        assert [found.start for found in together] == [found.start for found in own]
        np.testing.assert_allclose([found.score for found in together], [found.score for found in own], rtol=0.05)


def test_an_answer_beyond_the_window_is_found_where_it_stands(locator: FusedLocator) -> None:
    filler = " ".join(f"Line {place} speaks of taxes and of law." for place in range(200))
    text = f"{filler}\nThe giraffe eats leaves.  {filler}"
    kept = locator.read([text])
    for tokens in (None, kept):
        (found,) = locator.locate("what does a giraffe eat", [text], most=2, tokens=tokens)
        assert found[0].text == text[found[0].start : found[0].stop] == "The giraffe eats leaves."
        assert found[0].start == len(filler) + 1
        assert [text[a:z] for a, z in found[0].words] == ["giraffe", "eats"]


def test_locator_refuses_what_it_cannot_read(locator: FusedLocator, encoder: TransformerEncoder) -> None:
    calls: list[tuple[str, Any]] = [
        ("query has no tokens", lambda: locator.locate("", ["A cat."])),
        ("must be text", lambda: locator.locate(7, ["A cat."])),  # type: ignore[arg-type]
        ("one item", lambda: locator.locate("a", "A cat.")),
        ("item 0 is of type int", lambda: locator.locate("a", [7])),  # type: ignore[list-item]
        ("field 'x'", lambda: locator.locate("a", [{"x": 7}])),  # type: ignore[dict-item]
        ("tokens are of 1 texts", lambda: locator.locate("a", ["A.", "B."], tokens=locator.read(["A."]))),
    ]
    for words, call in calls:
        with pytest.raises(InputError, match=words):
            call()
    with pytest.raises(FingerprintMismatch):
        FusedLocator(encoder, small(encoder="f" * 64)[0])
