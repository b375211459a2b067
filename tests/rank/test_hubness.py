"""Corrections against the published formulas, and against exhaustive search."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from similia.errors import InputError
from similia.index import ExactIndex
from similia.index.topk import top_k
from similia.measure import normalise
from similia.measure.sinkhorn import sinkhorn_bias
from similia.rank.hubness import HubnessCorrector, banks, choose_corrector, correctors_of
from similia.rank.hubness.pool import settled
from similia.types import Hits

KINDS = ("is", "dis", "dualis", "dualdis", "csls", "nnn", "sinkhorn")
BETA, OTHER = 12.0, 3.0


def data(seed: int, items: int = 25, bank: int = 14, queries: int = 8) -> dict[str, np.ndarray]:
    """Unit vectors with a hub: queries lie to one side, and so does one item."""
    random = np.random.default_rng(seed)
    shift = 0.8 * random.normal(size=6)
    gallery = random.normal(size=(items, 6))
    gallery[0] = shift
    return {
        "gallery": normalise(gallery),
        "bank": normalise(random.normal(size=(bank, 6)) + shift),
        "others": normalise(random.normal(size=(bank - 3, 6))),
        "queries": normalise(random.normal(size=(queries, 6)) + shift),
    }


def fitted(kind: str, d: dict[str, np.ndarray], **settings: object) -> HubnessCorrector:
    corrector = HubnessCorrector(kind, **{"beta": BETA, "gallery_beta": OTHER, "neighbours": 3, **settings})
    return corrector.fit(d["bank"], d["gallery"], d["others"] if "dual" in kind else None)


def published(kind: str, scores: np.ndarray, p: np.ndarray, t: np.ndarray, k: int) -> np.ndarray:
    """What the papers write, by rows whose order counts; ratios as logarithms, over the sum of betas."""

    def factor(beta: float, bank: np.ndarray) -> np.ndarray:
        ratio = np.exp(beta * scores) / np.exp(beta * bank).sum(axis=0)
        if kind.endswith("dis"):
            active = {*np.argsort(-bank, axis=1, kind="stable")[:, :k].ravel().tolist()}
            for row in range(len(scores)):
                if int(scores[row].argmax()) not in active:
                    ratio[row] = np.exp(beta * scores[row])
        return ratio

    if kind in ("is", "dis"):
        return np.log(factor(BETA, p)) / BETA
    if kind in ("dualis", "dualdis"):
        return np.log(factor(BETA, p) * factor(OTHER, t)) / (BETA + OTHER)
    near = np.sort(p, axis=0)[-3:].mean(axis=0)
    if kind == "csls":
        own = np.sort(scores, axis=1)[:, -3:].mean(axis=1, keepdims=True)
        return (2 * scores - own - near) / 2
    if kind == "nnn":
        return scores - near
    return scores - sinkhorn_bias(p, temperature=1 / BETA)


def exact(d: dict[str, np.ndarray], left: str) -> np.ndarray:
    return d[left].astype(np.float64) @ d["gallery"].T.astype(np.float64)


@pytest.mark.parametrize("kind", KINDS)
@given(seed=st.integers(0, 999), k=st.integers(1, 3))
def test_it_is_the_published_formula(kind: str, seed: int, k: int) -> None:
    d = data(seed)
    corrector = fitted(kind, d, k=k)
    scores = exact(d, "queries")
    wanted = published(kind, scores, exact(d, "bank"), exact(d, "others"), k)
    gaps = corrector.transform(scores) - wanted
    assert np.abs(gaps - gaps[:, :1]).max() < 1e-6  # up to a number a query
    nearest = scores.argmax(axis=1)
    longer = corrector.augment_queries(d["queries"], nearest) @ corrector.augment_items(d["gallery"]).T
    assert np.abs(longer - corrector.transform(scores)).max() < 1e-6
    if kind not in ("dis", "dualdis"):
        assert (corrector.augment_queries(d["queries"])[:, -1] == 1).all()
        np.testing.assert_allclose(corrector.transform(scores), scores - corrector.bias_, atol=1e-6)
        assert corrector.active_ is None


@pytest.mark.parametrize("kind", KINDS)
def test_a_search_of_longer_vectors_gives_corrected_results(kind: str) -> None:
    d = data(3, items=200, queries=30)
    corrector = fitted(kind, d)
    nearest = ExactIndex(d["gallery"]).search(d["queries"], 1).ids[:, 0]
    index = ExactIndex(corrector.augment_items(d["gallery"]), metric="dot")
    found = index.search(corrector.augment_queries(d["queries"], nearest), 5)
    wanted = top_k(corrector.transform(exact(d, "queries")), 5)
    assert (found.ids == wanted[0]).all()
    np.testing.assert_allclose(found.scores, wanted[1], atol=1e-6)


@settings(max_examples=60)
@given(
    seed=st.integers(0, 999),
    kind=st.sampled_from(KINDS),
    pool=st.integers(1, 30),
    k=st.integers(1, 6),
    strength=st.sampled_from([0.0, 0.3, 1.0]),
    ties=st.booleans(),
)
def test_what_is_certain_is_true(seed: int, kind: str, pool: int, k: int, strength: float, ties: bool) -> None:
    d = data(seed)
    corrector = fitted(kind, d, strength=strength)
    scores = exact(d, "queries").round(1 if ties else 7).astype(np.float32)
    whole = top_k(corrector.transform(scores), k)
    found, certain = corrector.correct(Hits(*top_k(scores, pool)), k)
    assert (found.ids[certain] == whole[0][certain]).all()
    np.testing.assert_allclose(found.scores[certain], whole[1][certain], atol=1e-6)
    if pool >= scores.shape[1] or (strength == 0 and pool >= k):
        assert certain.all()
    # The bound written out, with the least bias of what is outside.
    bias = strength * corrector.biases_
    for row in np.flatnonzero(~certain):
        inside = top_k(scores, pool)[0][row]
        outside = np.setdiff1d(np.arange(scores.shape[1]), inside)
        gate = corrector._gates(inside[:1])[0]
        bound = scores[row, inside].min() - (gate @ bias)[outside].min()
        assert found.ids[row, -1] == -1 or found.scores[row, -1] <= bound + 3e-6


def test_a_tie_with_what_is_outside_is_not_certain() -> None:
    # Item 0 is outside of the pool, has no bias, and would come first among equals.
    hits, bias = Hits([[1]], [[0.5]]), np.array([[0.0, 0.25, 0.0]], np.float32)
    for pool, sure in ((hits, False), (Hits([[0]], [[0.75]]), False), (Hits([[1, 0]], [[0.75, 0.25]]), True)):
        certain = settled(pool, 1, bias, np.ones((1, 1), np.float32), lambda gate: np.argsort(gate @ bias))[1]
        assert certain.tolist() == [sure]


def test_a_deep_pool_is_certain_and_a_shallow_one_not_always() -> None:
    d = data(5, items=400, queries=40)
    corrector = fitted("is", d)
    index = ExactIndex(d["gallery"])
    shares = [corrector.correct(index.search(d["queries"], depth), 3)[1].mean() for depth in (3, 30, 300)]
    assert shares[0] < 1
    assert shares == sorted(shares)
    assert shares[2] == 1


@pytest.mark.parametrize("kind", KINDS)
def test_blocks_of_items_change_nothing(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    d = data(7, items=53)
    whole = fitted(kind, d, k=2)
    monkeypatch.setattr(banks, "_SIMILARITIES", 14 * 7)
    cut = fitted(kind, d, k=2)
    np.testing.assert_allclose(cut.biases_, whole.biases_, atol=1e-6)
    if kind.endswith("dis") and kind != "is":
        assert (cut.actives_ == whole.actives_).all()


@pytest.mark.parametrize("kind", ["is", "dis", "nnn", "sinkhorn"])
def test_pairs_of_the_bank_do_not_count(kind: str) -> None:
    d = data(9)
    pairs = np.arange(len(d["bank"]))
    pairs[-2:] = -1
    d["bank"][:-2] = normalise(d["gallery"][: len(pairs) - 2] + 0.1 * d["bank"][:-2])
    corrector = HubnessCorrector(kind, beta=BETA, neighbours=3)
    corrector.fit(d["bank"], d["gallery"], query_pairs=pairs)
    p = exact(d, "bank")
    p[pairs >= 0, pairs[pairs >= 0]] = -np.inf
    if kind == "nnn":
        wanted = np.sort(p, axis=0)[-3:].mean(axis=0)
    elif kind == "sinkhorn":
        wanted = sinkhorn_bias(p, temperature=1 / BETA)
    else:
        wanted = np.log(np.exp(BETA * p).sum(axis=0) / np.isfinite(p).sum(axis=0)) / BETA
    np.testing.assert_allclose(corrector.bias_, wanted, atol=1e-6)
    assert corrector.active_ is None or (np.flatnonzero(corrector.active_) == np.unique(p.argmax(axis=1))).all()


def test_an_item_without_anything_to_go_by_has_the_mean_bias() -> None:
    corrector = HubnessCorrector("is").fit([[1.0, 0.0]], [[1.0, 0.0], [0.6, 0.8], [0.0, 1.0]], query_pairs=[0])
    np.testing.assert_allclose(corrector.bias_, [0.3, 0.6, 0.0], atol=1e-6)


@pytest.mark.parametrize("kind", KINDS)
def test_constant_similarities_change_no_ranking(kind: str) -> None:
    d = data(2)
    d["gallery"] = np.tile(d["gallery"][1], (25, 1))
    scores = np.random.default_rng(0).random((4, 25)).astype(np.float32)
    corrected = fitted(kind, d).transform(scores)
    assert (top_k(corrected, 25)[0] == top_k(scores, 25)[0]).all()
    same = np.full((2, 25), 0.25, np.float32)
    assert (top_k(fitted(kind, d).transform(same), 25)[0] == np.arange(25)).all()


def test_a_spread_that_is_rounding_is_none() -> None:
    assert np.ptp(banks.flat(0.4 + 1e-8 * np.arange(5))) == 0
    assert np.ptp(banks.flat(0.4 + 1e-4 * np.arange(5))) > 0


def test_equal_scores_count_by_position() -> None:
    items = np.array([[1.0, 0.0], [0.0, 1.0], [0.0, 1.0]])
    for right, first in ((1, 1.0), (2, 0.0)):
        tried = correctors_of("nnn", neighbours=(1,), metric="dot")
        choice = choose_corrector(tried, [[0.0, 2.0]], [right], [[1.0, 1.0]], items)
        assert choice.raw.first == choice.best.first == first
        assert not choice.helps


@pytest.mark.parametrize("kind", KINDS)
def test_an_empty_bank_leaves_raw_scores_and_warns(kind: str) -> None:
    d = data(1)
    d["bank"] = d["others"] = np.empty((0, 6), np.float32)
    with pytest.warns(UserWarning, match="bank is empty"):
        corrector = fitted(kind, d)
    scores = exact(d, "queries").astype(np.float32)
    assert (corrector.transform(scores) == scores).all()
    found, certain = corrector.correct(Hits(*top_k(scores, 4)), 4)
    assert (found.ids == top_k(scores, 4)[0]).all()
    assert certain.all()


def test_with_one_empty_bank_the_other_counts() -> None:
    d = data(1)
    with pytest.warns(UserWarning, match="gallery bank is empty"):
        corrector = fitted("dualis", {**d, "others": d["others"][:0]})
    np.testing.assert_allclose(corrector.biases_, fitted("is", d).biases_, atol=1e-7)


def test_no_items_no_queries_and_one_item() -> None:
    nothing = HubnessCorrector("dis").fit(np.ones((2, 3)), np.empty((0, 3), np.float32))
    assert nothing.transform(np.empty((2, 0))).shape == (2, 0)
    found, certain = nothing.correct(Hits.empty(2, 3), 2)
    assert (found.ids == -1).all()
    assert certain.all()
    d = data(1)
    for kind in KINDS:
        one = fitted(kind, {**d, "gallery": d["gallery"][:1]})
        assert one.transform([[0.5]]).shape == (1, 1)
        several = fitted(kind, d)
        assert several.transform(np.empty((0, 25))).shape == (0, 25)
        assert len(several.correct(Hits.empty(0, 3), 2)[0]) == 0
    assert fitted("sinkhorn", {**d, "gallery": d["gallery"][:1]}).bias_.tolist() == [0]


def test_hidden_items_stay_hidden_and_strength_scales() -> None:
    d = data(4)
    scores = exact(d, "queries").astype(np.float32)
    scores[:, 3] = -np.inf
    full, half, none = (fitted("nnn", d, strength=s).transform(scores) for s in (1.0, 0.5, 0.0))
    assert np.isneginf(full[:, 3]).all()
    seen = np.arange(25) != 3
    np.testing.assert_allclose(half[:, seen], (full + scores)[:, seen] / 2, atol=1e-6)
    assert (none == scores).all()
    padded = Hits([[1, 3, -1]], [[0.9, 0.8, -np.inf]])
    found, certain = fitted("nnn", d).correct(padded, 4)
    assert sorted(found.ids[0].tolist()) == [-1, -1, 1, 3]
    assert certain.all()


def test_metric_types_and_lengths() -> None:
    d = data(6)
    half = d["gallery"].astype(np.float16)
    near = fitted("is", {**d, "gallery": half})
    np.testing.assert_allclose(near.biases_, fitted("is", d).biases_, atol=2e-3)
    longer = {**d, "gallery": 3 * d["gallery"], "bank": 0.2 * d["bank"]}
    np.testing.assert_allclose(fitted("is", longer).biases_, fitted("is", d).biases_, atol=1e-6)
    dot = fitted("nnn", longer, metric="dot")
    np.testing.assert_allclose(dot.biases_, 0.6 * fitted("nnn", d).biases_, rtol=1e-5)


def test_queries_of_the_bank_are_flagged() -> None:
    d = data(8)
    corrector = fitted("is", d)
    mixed = np.concatenate((d["queries"], 2 * d["bank"][:3]))
    assert corrector.overlap(mixed).tolist() == [False] * 8 + [True] * 3
    again = HubnessCorrector.from_dict(corrector.to_dict(), corrector.arrays())
    assert again.overlap(mixed).sum() == 3
    with pytest.raises(InputError, match="3 of the validation queries stand in the query bank"):
        choose_corrector(correctors_of("is"), mixed, np.zeros(11, int), d["bank"], d["gallery"])


@pytest.mark.parametrize("kind", KINDS)
def test_it_can_be_stored(kind: str) -> None:
    d = data(8)
    corrector = fitted(kind, d, strength=0.7)
    again = HubnessCorrector.from_dict(json.loads(json.dumps(corrector.to_dict())), corrector.arrays())
    scores = exact(d, "queries")
    assert (again.transform(scores) == corrector.transform(scores)).all()
    assert repr(again) == repr(corrector)
    fresh = HubnessCorrector.from_dict(corrector.to_dict())
    with pytest.raises(InputError, match="call fit first"):
        fresh.transform(scores)


@pytest.mark.parametrize("kind", KINDS)
def test_the_choice_is_the_best_by_exhaustion(kind: str) -> None:
    d = data(11, items=60, bank=40, queries=30)
    right = np.stack([np.arange(30), np.where(np.arange(30) % 3, -1, 40)], axis=1)
    tried = correctors_of(kind, betas=(2, 20), gallery_betas=(1, 9), neighbours=(1, 5), strengths=(0.5, 1))
    dual = d["others"] if "dual" in kind else None
    choice = choose_corrector(tried, d["queries"], right, d["bank"], d["gallery"], dual)
    scores = exact(d, "queries").astype(np.float32)
    merits = []
    for corrector in [None, *tried]:
        values = scores if corrector is None else corrector.transform(scores)
        order = np.argsort(-values, axis=1, kind="stable")
        ranks = [
            1 + min(order[row].tolist().index(item) for item in right[row].tolist() if item >= 0) for row in range(30)
        ]
        merits.append((np.mean(np.array(ranks) == 1), np.mean(1 / np.array(ranks))))
    shown = [(trial.first, trial.reciprocal) for trial in (choice.raw, *choice.trials)]
    np.testing.assert_allclose(shown, merits)
    best = max(range(len(tried)), key=lambda at: merits[at + 1])
    assert choice.corrector is tried[best]
    assert choice.best is choice.trials[best]
    assert choice.helps == (merits[best + 1] > merits[0])
    assert choice.best.settings == tried[best].to_dict()


def test_hubs_are_found_less_often() -> None:
    from similia.measure.hubness import hub_statistics

    random = np.random.default_rng(0)
    items = random.normal(size=(400, 40))
    asked, bank = (normalise(random.normal(size=(n, 40)) + 0.4) for n in (300, 600))
    scores = asked @ normalise(items).T
    before = hub_statistics(top_k(scores, 10)[0], 400)
    for kind in ("is", "csls", "nnn", "sinkhorn"):
        corrected = HubnessCorrector(kind).fit(bank, items).transform(scores)
        after = hub_statistics(top_k(corrected, 10)[0], 400)
        assert after.skewness < 0.6 * before.skewness
        assert after.never < before.never


BANK, ITEMS = np.ones((2, 3)), np.eye(3)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: HubnessCorrector("softmax"), "unknown"),
        (lambda: HubnessCorrector(beta=0), "beta is 0"),
        (lambda: HubnessCorrector(gallery_beta=float("nan")), "gallery_beta"),
        (lambda: HubnessCorrector(strength=1.5), "strength"),
        (lambda: HubnessCorrector(k=0), "k is 0"),
        (lambda: HubnessCorrector(rounds=-1), "rounds"),
        (lambda: HubnessCorrector(metric="l2"), "metric"),
        (lambda: HubnessCorrector("dualis").fit(BANK, ITEMS), "needs a gallery bank"),
        (lambda: HubnessCorrector("is").fit(BANK, ITEMS, BANK), "takes no gallery bank"),
        (lambda: HubnessCorrector().fit(np.ones((2, 4)), ITEMS), "4 dimensions"),
        (lambda: HubnessCorrector().fit([[np.nan, 0, 0]], ITEMS), "NaN"),
        (lambda: HubnessCorrector().fit(BANK, np.full((3, 3), np.float32(np.inf))), "NaN or infinity"),
        (lambda: HubnessCorrector().fit(BANK, ITEMS, query_pairs=[0]), "whole numbers"),
        (lambda: HubnessCorrector().fit(BANK, ITEMS, query_pairs=[0, 3]), "positions from 0 to 2"),
        (lambda: HubnessCorrector().transform([[1.0]]), "call fit first"),
        (lambda: HubnessCorrector().fit(BANK, ITEMS).transform([[1.0]]), "one an item"),
        (lambda: HubnessCorrector().fit(BANK, ITEMS).transform([[1.0, np.nan, 0]]), "NaN"),
        (lambda: HubnessCorrector().fit(BANK, ITEMS).correct(Hits([[3]], [[1.0]]), 1), "3 items"),
        (lambda: HubnessCorrector().fit(BANK, ITEMS).correct(Hits([[1]], [[1.0]]), 0), "k is 0"),
        (lambda: HubnessCorrector().fit(BANK, ITEMS).augment_items(BANK), "2 items"),
        (lambda: HubnessCorrector("dis").fit(BANK, ITEMS).augment_queries(BANK), "needs the most similar item"),
        (lambda: HubnessCorrector("dis").fit(BANK, ITEMS).augment_queries(BANK, [0, 3]), "positions"),
        (lambda: HubnessCorrector.from_dict({"format": 9}), "format"),
        (lambda: HubnessCorrector.from_dict({**HubnessCorrector().to_dict(), "x": 1}), "do not fit"),
        (lambda: HubnessCorrector.from_dict(HubnessCorrector("dis").to_dict(), {}), "actives, bank, biases"),
        (lambda: choose_corrector([], BANK, [0, 1], BANK, ITEMS), "correctors to choose from"),
        (lambda: choose_corrector(correctors_of("dualis"), ITEMS, [0, 1, 2], BANK, ITEMS), "needs a gallery bank"),
        (lambda: choose_corrector(correctors_of("is"), ITEMS, [0, 1, 3], BANK, ITEMS), "positions from 0 to 2"),
        (lambda: choose_corrector(correctors_of("is"), ITEMS, [0.5, 1, 2], BANK, ITEMS), "positions of items"),
    ],
)
def test_what_does_not_fit_is_named(call, said: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(InputError, match=said):
        call()
