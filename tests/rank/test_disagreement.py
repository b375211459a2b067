"""Disagreement of two views as supervision: what is mined, what is learned from it, and what the gate lets through."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from similia.errors import InputError
from similia.rank.disagreement import mine_disagreement, pseudo_queries
from similia.rank.gate import keep_better
from similia.rank.linear_head import LinearHead, triplet
from similia.types import Hits


def hits(*rows):
    width = max(map(len, rows))
    ids = [[*row, *[-1] * (width - len(row))] for row in rows]
    scores = [[*range(len(row), 0, -1), *[-np.inf] * (width - len(row))] for row in rows]
    return Hits(ids, scores)


# -- mining


def test_mined_by_hand():
    a, b = hits([1, 2, 3, 4], [5, 6], []), hits([3, 9, 1, 8], [6, 5], [7])
    mined = mine_disagreement(a, b, [[2, 3], [5], []])
    triples = zip(
        mined.queries.tolist(), mined.positives.tolist(), mined.negatives.tolist(), mined.from_a.tolist(), strict=True
    )
    # 2 is right though only a found it, so it is no negative; both lists of the second query hold the same.
    assert [*triples] == [(0, p, n, f) for p in (2, 3) for n, f in ((4, True), (9, False), (8, False))]
    assert mined.differs.tolist() == [True, False, True]
    assert mined.rate == pytest.approx(2 / 3)
    first = mine_disagreement(a, b, [3, 5, -1], each=1)
    assert first.negatives.tolist() == [2, 9]
    assert mine_disagreement(a, b, [3, 5, -1], top=1).negatives.tolist() == [1, 6]


@settings(max_examples=60)
@given(st.integers(0, 10_000), st.integers(1, 6), st.integers(1, 8), st.one_of(st.none(), st.integers(1, 3)))
def test_mined_against_sets(seed, count, top, each):
    random = np.random.default_rng(seed)
    lists = [[random.permutation(12)[: random.integers(0, 9)].tolist() for _ in range(count)] for _ in range(2)]
    right = [{*random.permutation(12)[: random.integers(0, 3)].tolist()} for _ in range(count)]
    mined = mine_disagreement(hits(*lists[0], []), hits(*lists[1], []), [*right, {1}], top=top, each=each)
    found = {
        (q, p, n, f) for q, p, n, f in zip(mined.queries, mined.positives, mined.negatives, mined.from_a, strict=True)
    }
    assert len(found) == len(mined)
    wanted = set()
    for row in range(count):
        one, two = lists[0][row][:top], lists[1][row][:top]
        for mine, other, from_a in ((one, two, True), (two, one, False)):
            alone = [item for item in mine if item not in other and item not in right[row]]
            wanted |= {(row, p, n, from_a) for p in right[row] for n in (alone if each is None else alone[:each])}
        assert mined.differs[row] == (set(one) != set(two))
    assert found == wanted


def test_nothing_to_mine():
    mined = mine_disagreement(Hits.empty(0, 3), Hits.empty(0, 3), [])
    assert (len(mined), mined.rate, mined.queries.dtype) == (0, 0.0, np.int64)
    for arguments, options in (
        ((Hits.empty(2, 3), Hits.empty(1, 3), [1, 2]), {}),
        ((Hits.empty(1, 3), Hits.empty(1, 3), [1, 2]), {}),
        ((Hits.empty(1, 3), Hits.empty(1, 3), [1]), {"top": 0}),
        ((Hits.empty(1, 3), Hits.empty(1, 3), [1]), {"each": 0}),
    ):
        with pytest.raises(InputError):
            mine_disagreement(*arguments, **options)


# -- pseudo-queries


@settings(max_examples=60)
@given(st.lists(st.text(st.sampled_from("ab .!\nC"), max_size=60), max_size=6), st.sampled_from(["sentence", "words"]))
def test_the_query_is_dropped_from_its_item(texts, piece):
    made = pseudo_queries(texts, piece=piece, words=3, least=2)
    for pseudo in made:
        own, query, rest = (part.split() for part in (texts[pseudo.item], pseudo.query, pseudo.rest))
        assert 2 <= len(query) <= 3
        assert len(rest) >= 2
        assert len(query) + len(rest) <= len(own)
        if piece == "words":
            assert query + rest == own
    assert [pseudo.item for pseudo in made] == sorted({pseudo.item for pseudo in made})


def test_sentences_by_chance_and_first_words():
    texts = [f"First one of item {n}. Then the second is here. At last the third one!" for n in range(40)]
    made = pseudo_queries(texts, seed=1)
    assert made == pseudo_queries(texts, seed=1)
    assert made[7:] == [p for p in pseudo_queries(["", *texts[1:]], seed=1) if p.item >= 7]
    assert {pseudo.query.split()[0] for pseudo in made} == {"First", "Then", "At"}
    assert all(pseudo.query not in pseudo.rest for pseudo in made)
    words = pseudo_queries(["a b c d e f g h i"], piece="words", words=5)
    assert (words[0].query, words[0].rest) == ("a b c d e", "f g h i")
    assert pseudo_queries(["too short", "", "No second sentence here to be found at all"]) == []
    for options in ({"piece": "letters"}, {"words": 0}, {"least": 0}):
        with pytest.raises(InputError):
            pseudo_queries(["a"], **options)


# -- the gate


def test_the_gate():
    random = np.random.default_rng(0)
    old = random.random(200)
    better = keep_better(old, old + 0.02 + 0.05 * random.normal(size=200))
    assert better.keep
    assert better
    assert 0 < better.low < better.gain < better.high
    assert better.queries == 200
    assert "kept" in better.reason
    for new in (old, old - 0.02 + 0.05 * random.normal(size=200), old + np.tile([0.5, -0.48], 100)):
        refused = keep_better(old, new)
        assert not refused
        assert "refused" in refused.reason
    assert keep_better(old, old + np.tile([0.5, -0.48], 100)).gain > 0  # a better mean alone is not enough
    assert not keep_better(old, old + 0.02, least=0.03)
    assert keep_better(old, old + 0.02, least=0.01)


def test_the_gate_agrees_with_an_interval_of_scipy():
    stats = pytest.importorskip("scipy.stats")
    random = np.random.default_rng(3)
    old, new = random.random(80), random.random(80)
    decision = keep_better(old, new, confidence=0.9)
    wanted = stats.bootstrap((new - old,), np.mean, confidence_level=0.9, method="percentile", rng=0)
    np.testing.assert_allclose((decision.low, decision.high), wanted.confidence_interval, atol=6e-3)


def test_too_little_to_be_sure_by():
    assert not keep_better([], [])
    assert not keep_better([0.1], [0.9])
    nan = float("nan")
    decision = keep_better([0.1, nan, 0.2, 0.3], [0.5, 0.9, nan, 0.6])
    assert (decision.queries, round(decision.gain, 6)) == (2, 0.35)
    for arguments, options in (
        (([1.0], [1.0, 2]), {}),
        (([[1.0]], [[1.0]]), {}),
        (([float("inf")], [1.0]), {}),
        (([1.0], [1.0]), {"confidence": 1}),
        (([1.0], [1.0]), {"samples": 0}),
        (([1.0], [1.0]), {"least": nan}),
    ):
        with pytest.raises(InputError):
            keep_better(*arguments, **options)


# -- the head


@pytest.mark.parametrize("sides", ["both", "query"])
@pytest.mark.parametrize("loss", ["contrast", "triplet"])
def test_gradient_of_the_head(sides, loss):
    random = np.random.default_rng(4)
    head = LinearHead(rank=3, sides=sides, loss=loss, margin=0.4, temperature=0.5)
    head.down_, head.up_ = random.normal(size=(5, 3)), random.normal(size=(3, 5))
    items, queries = random.normal(size=(9, 5)), random.normal(size=(4, 5))
    items /= np.linalg.norm(items, axis=1, keepdims=True)
    positives, negatives = np.array([0, 1, 0, 3]), np.array([5, 6, 7, 8 if loss == "triplet" else -1])

    def value():
        return head._loss(queries, items, positives, negatives)[0]

    slopes = head._loss(queries, items, positives, negatives)[1]
    for weights, slope in zip((head.down_, head.up_), slopes, strict=True):
        wanted = np.zeros_like(weights)
        for at in np.ndindex(weights.shape):
            kept = weights[at]
            weights[at] = kept + 1e-6
            above = value()
            weights[at] = kept - 1e-6
            wanted[at] = (above - value()) / 2e-6
            weights[at] = kept
        np.testing.assert_allclose(slope, wanted, atol=1e-6)


def test_triplet_by_hand():
    loss, by_query, by_item = triplet(np.eye(2), np.array([[0.0, 0], [0, 1]]), np.array([[1.0, 3], [0, 9]]), 2.5)
    # |q - p| - |q - n| + margin: 1 - 3 + 2.5, and 0 - 8 + 2.5 < 0.
    assert loss == pytest.approx(0.25)
    np.testing.assert_allclose(by_query[0], [0.5, 0.5])
    np.testing.assert_allclose(by_item, [[-0.5, 0], [0, 0], [0, -0.5], [0, 0]])


def noisy(seed=0, count=400, dimension=16):
    """Items, and queries that agree with them in half of the dimensions."""
    random = np.random.default_rng(seed)
    items = random.normal(size=(count, dimension))
    noise = random.normal(size=(count, dimension)) * np.r_[np.full(8, 0.3), np.full(8, 3.0)]
    return items + noise, items


def right(queries, items):
    return (queries @ items.T).argmax(axis=1) == np.arange(len(queries))


@pytest.mark.parametrize("sides", ["both", "query"])
def test_a_head_learns_and_the_gate_tells_it_from_a_bad_one(sides):
    queries, items = noisy()
    learn, held = np.arange(300), np.arange(300, 400)
    negatives = np.roll(learn, 1)
    head = LinearHead(rank=12, sides=sides, epochs=15, rate=0.01).fit(queries, items, learn, learn, negatives)
    # Trained on wrong answers, with the rate of the negative baseline.
    bad = LinearHead(rank=12, sides=sides, loss="triplet", epochs=3, rate=0.3, batch=16)
    bad.fit(queries, items, learn, negatives, learn)
    before = right(queries[held] / np.linalg.norm(queries[held], axis=1, keepdims=True), unit(items[held]))
    after, worse = (
        right(one.transform(queries[held], side="query"), one.transform(items[held])) for one in (head, bad)
    )
    assert keep_better(before, after)
    assert not keep_better(before, worse)
    assert worse.mean() < before.mean()
    if sides == "query":
        np.testing.assert_allclose(head.transform(items), unit(items), atol=1e-6)


def unit(vectors):
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def test_the_head_is_itself_at_first_and_the_same_for_a_seed():
    queries, items = noisy(count=50)
    place = np.arange(50)
    one, two = (LinearHead(rank=4, epochs=1, seed=3).fit(queries, items, place, place) for _ in range(2))
    np.testing.assert_array_equal(one.down_, two.down_)
    np.testing.assert_array_equal(one.up_, two.up_)
    one.up_ = np.zeros_like(one.up_)
    np.testing.assert_allclose(one.transform(items), unit(items), atol=1e-6)
    assert one.transform(np.zeros((2, 16))).tolist() == np.zeros((2, 16)).tolist()
    assert one.transform(items).dtype == np.float32


def test_the_head_refuses():
    queries, items = noisy(count=10)
    place = np.arange(10)
    with pytest.raises(InputError, match="not fitted"):
        LinearHead().transform(items)
    for arguments in (
        (queries, items, place, place[:5]),
        (queries, items, place, place + 1),
        (queries, items, place - 1, place),
        (queries, items, place, place, place - 2),
        (queries, items, place[:0], place[:0]),
        (queries, items, place * 1.0, place),
        (queries[:, :4], items, place, place),
        (queries * np.nan, items, place, place),
    ):
        with pytest.raises(InputError):
            LinearHead(epochs=1).fit(*arguments)
    with pytest.raises(InputError):
        LinearHead(loss="triplet").fit(queries, items, place, place)
    for options in ({"rank": 0}, {"sides": "item"}, {"loss": "hinge"}, {"rate": 0}, {"decay": 1}, {"temperature": 0}):
        with pytest.raises(InputError):
            LinearHead(**options)
