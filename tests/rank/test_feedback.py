"""Feedback: Rocchio by hand, losses against their differences, and a model that learns what only feedback tells."""

from __future__ import annotations

import io
import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from similia.errors import FingerprintMismatch, InputError
from similia.index import ExactIndex
from similia.rank.feedback import (
    FeedbackQuery,
    Rocchio,
    expand_queries,
    feedback_search,
    info_nce,
    rank_net,
    rocchio,
)
from similia.rank.feedback.attention import NAMES, backward, forward, new_parameters
from similia.rank.feedback.losses import in_order
from similia.rank.feedback.searching import score_again
from similia.types import Hits

INFINITE = float("inf")


def unit(vectors):
    vectors = np.asarray(vectors, dtype=np.float64)
    return vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)


# -- Rocchio


def test_rocchio_by_hand():
    queries, found, bad = [[2.0, 0, 0]], [[[0, 3.0, 0], [0, 0, 5.0]]], [[[0, 0, 1.0], [0, 0, 1.0]]]
    moved = rocchio(queries, found, [[3, 1]], alpha=1, beta=0.8, negatives=bad, gamma=0.4)
    np.testing.assert_allclose(moved, unit([[1, 0.8 * 0.75, 0.8 * 0.25 - 0.4]]), atol=1e-6)


@settings(max_examples=40)
@given(st.integers(0, 10_000), st.integers(1, 4), st.integers(0, 5), st.floats(0, 3))
def test_rocchio_against_a_loop(seed, count, width, beta):
    random = np.random.default_rng(seed)
    queries, found = random.normal(size=(count, 6)), random.normal(size=(count, width, 6))
    weights = random.random((count, width)) * (random.random((count, width)) < 0.7)
    wanted = []
    for query, documents, own in zip(queries, found, weights, strict=True):
        total = unit(query)
        if own.sum() > 0:
            total = total + beta * sum(w / own.sum() * unit(d) for w, d in zip(own, documents, strict=True))
        wanted.append(unit(total))
    moved = rocchio(queries, found, weights, beta=beta)
    assert moved.dtype == np.float32
    np.testing.assert_allclose(moved, wanted, atol=2e-5)


def test_what_cancels_out_stays_as_it_is():
    np.testing.assert_array_equal(rocchio([[1, 0]], [[[-1, 0]]], beta=1.0), [[1, 0]])
    np.testing.assert_array_equal(rocchio([[3, 4]], np.empty((1, 0, 2))), np.float32([[0.6, 0.8]]))
    assert rocchio(np.empty((0, 2)), np.empty((0, 3, 2))).shape == (0, 2)


def test_weightings():
    documents = [[[0, 1, 0], [0, 0, 1], [9, 9, 9]]]
    scores = [[0.6, 0.2, -INFINITE]]
    for weighting, second in (("equal", 1.0), ("score", 1 / 3), ("rank", 1 / np.log2(3))):
        moved = Rocchio(1.0, weighting)([[1, 0, 0]], documents, scores)
        np.testing.assert_allclose(moved[0, 2] / moved[0, 1], second, rtol=1e-5)
    np.testing.assert_array_equal(Rocchio(1.0, "score")([[1, 0, 0]], documents, [[-1, -2, -INFINITE]]), [[1, 0, 0]])


@pytest.mark.parametrize(
    "call",
    [
        lambda: rocchio([[1, 0]], [[1, 0]]),
        lambda: rocchio([[1, 0]], [[[1, 0, 0]]]),
        lambda: rocchio([[1, 0]], [[[1, np.nan]]]),
        lambda: rocchio([[np.nan, 0]], [[[1, 0]]]),
        lambda: rocchio([[1, 0]], [[[1, 0]]], [[-1]]),
        lambda: rocchio([[1, 0]], [[[1, 0]]], [[1, 2]]),
        lambda: rocchio([[1, 0]], [[[1, 0]]], beta=-1),
        lambda: rocchio([[1, 0]], [[[1, 0]]], alpha=INFINITE),
        lambda: Rocchio(beta=float("nan")),
        lambda: Rocchio(weighting="best"),
        lambda: Rocchio()([[1, 0]], [[[1, 0]]], [[np.nan]]),
    ],
)
def test_bad_feedback_is_refused(call):
    with pytest.raises(InputError):
        call()


# -- searching


def collection(seed=0, count=60, dimension=5):
    random = np.random.default_rng(seed)
    items = random.normal(size=(count, dimension)).astype(np.float32)
    return items, random.normal(size=(7, dimension)).astype(np.float32)


@pytest.mark.parametrize("again", ["pool", "search"])
def test_search_with_feedback_against_brute_force(again):
    items, queries = collection()
    index = ExactIndex(items)
    hits = feedback_search(
        index.search, lambda ids: items[ids], queries, 5, expansion=Rocchio(0.7), feedback=4, again=again, pool=12
    )
    for row, query in enumerate(queries):
        cosines = unit(items) @ unit(query)
        first = np.argsort(-cosines)
        moved = unit(unit(query) + 0.7 * unit(items[first[:4]]).mean(axis=0))
        allowed = first[:12] if again == "pool" else first
        new = unit(items) @ moved
        wanted = allowed[np.argsort(-new[allowed])][:5]
        assert hits.ids[row].tolist() == wanted.tolist()
        np.testing.assert_allclose(hits.scores[row], new[wanted], atol=1e-5)


def test_few_hits_and_none():
    items, queries = collection(count=3)
    index = ExactIndex(items)
    hits = feedback_search(index.search, lambda ids: items[ids], queries, 5, feedback=20, pool=50)
    assert (hits.ids[:, :3] >= 0).all()
    assert (hits.ids[:, 3:] == -1).all()
    none = feedback_search(lambda q, k: Hits.empty(len(q), k), lambda ids: items[ids], queries, 5)
    assert (none.ids == -1).all()
    np.testing.assert_allclose(
        expand_queries(queries, Hits.empty(7, 3), lambda ids: items[ids]), unit(queries), atol=1e-6
    )
    assert feedback_search(index.search, lambda ids: items[ids], queries[:0], 5).ids.shape == (0, 5)


def test_equal_documents_come_by_lower_id_and_count_once():
    items = np.array([[0, 1], [1, 0], [1, 0]], np.float32)
    again = score_again([[1, 0]], Hits([[2, 1, 2, 0]], [[4, 3, 2, 1]]), lambda ids: items[ids], 4)
    assert again.ids.tolist() == [[1, 2, 0, -1]]


@pytest.mark.parametrize(
    "options",
    [{"k": 0}, {"feedback": 0}, {"feedback": True}, {"again": "twice"}, {"pool": 3}, {"feedback": 30, "pool": 20}],
)
def test_search_refuses(options):
    items, queries = collection()
    with pytest.raises(InputError):
        feedback_search(ExactIndex(items).search, lambda ids: items[ids], queries, **{"k": 5, **options})


def test_hits_of_other_queries_are_refused():
    with pytest.raises(InputError):
        expand_queries(np.ones((2, 3)), Hits.empty(3, 1), lambda ids: np.ones((len(ids), 3)))
    with pytest.raises(InputError):
        score_again(np.ones((2, 3)), Hits.empty(3, 1), lambda ids: np.ones((len(ids), 3)), 1)


# -- losses


def differences(function, values, step=1e-6):
    """The gradient of a number by each entry of an array, by central differences."""
    slope = np.zeros_like(values)
    for at in np.ndindex(values.shape):
        kept = values[at]
        values[at] = kept + step
        above = function()
        values[at] = kept - step
        below = function()
        values[at] = kept
        slope[at] = (above - below) / (2 * step)
    return slope


def test_info_nce():
    random = np.random.default_rng(1)
    values = random.normal(size=(4, 6))
    mask = random.random((4, 6)) < 0.7
    positive = np.array([0, 3, 5, 1])
    mask[np.arange(4), positive] = True
    loss, slope = info_nce(values, positive, temperature=0.5, mask=mask)
    by_hand = [
        -np.log(np.exp(v[p] / 0.5) / np.exp(v[m] / 0.5).sum()) for v, p, m in zip(values, positive, mask, strict=True)
    ]
    assert loss == pytest.approx(np.mean(by_hand))
    wanted = differences(lambda: info_nce(values, positive, temperature=0.5, mask=mask)[0], values)
    np.testing.assert_allclose(slope, wanted, atol=1e-7)


def test_rank_net():
    random = np.random.default_rng(2)
    values = random.normal(size=(3, 5))
    mask = np.ones((3, 5), bool)
    mask[1, 3:] = False
    mask[2, 1:] = False  # nothing to compare
    loss, slope = rank_net(values, temperature=0.3, mask=mask)
    by_hand = []
    for own, there in zip(values[:2], mask[:2], strict=True):
        z = own[there] / 0.3
        by_hand.append(np.mean([np.log1p(np.exp(z[k] - z[j])) for j in range(z.size) for k in range(j + 1, z.size)]))
    assert loss == pytest.approx(np.mean(by_hand))
    wanted = differences(lambda: rank_net(values, temperature=0.3, mask=mask)[0], values)
    np.testing.assert_allclose(slope, wanted, atol=1e-7)
    right, _ = rank_net([[3.0, 2, 1]])
    wrong, _ = rank_net([[1.0, 2, 3]])
    assert right < 1e-3 < 5 < wrong


def test_a_permutation_says_what_is_at_a_rank():
    assert in_order([[7, 8, 9], [1, 2, 3]], [[1, 2, 0], [0, 1, 2]]).tolist() == [[8, 9, 7], [1, 2, 3]]
    for wrong in ([[0, 0, 1]], [[0, 1, 3]], [[0, 1]], [[0.0, 1, 2]], [[0, 1, -1]]):
        with pytest.raises(InputError):
            in_order([[7, 8, 9]], wrong)


@pytest.mark.parametrize(
    "call",
    [
        lambda: info_nce([[1.0, 2]], [2]),
        lambda: info_nce([[1.0, 2]], [0, 1]),
        lambda: info_nce([[1.0, np.nan]], [0]),
        lambda: info_nce([[1.0, 2]], [0], mask=[[False, True]]),
        lambda: info_nce([[1.0, 2]], [0], temperature=0),
        lambda: rank_net([1.0, 2]),
        lambda: rank_net([[1.0, 2]], mask=[[True]]),
    ],
)
def test_bad_losses_are_refused(call):
    with pytest.raises(InputError):
        call()


# -- the network


@pytest.mark.parametrize("itself", [True, False])
def test_gradient_of_the_network(itself):
    random = np.random.default_rng(3)
    parameters = {
        name: values.astype(np.float64) + 0.2 * random.normal(size=values.shape)
        for name, values in new_parameters(5, 3, 2, 3, random).items()
    }
    queries, found = unit(random.normal(size=(4, 5))), unit(random.normal(size=(4, 3, 5)))
    there = np.array([[1, 1, 1], [1, 1, 0], [1, 0, 0], [0, 1, 1]], bool)
    aim = random.normal(size=(4, 5))

    def loss():
        return float((forward(parameters, queries, found, there, itself).unit * aim).sum())

    slopes = backward(parameters, forward(parameters, queries, found, there, itself), aim)
    assert set(slopes) == set(NAMES)
    for name, slope in slopes.items():
        np.testing.assert_allclose(slope, differences(loss, parameters[name]), atol=2e-6, err_msg=name)


def test_before_training_the_query_is_as_it_was_and_empty_places_do_not_matter():
    random = np.random.default_rng(4)
    parameters = new_parameters(6, 4, 2, 3, random)
    queries = unit(random.normal(size=(3, 6))).astype(np.float32)
    found = unit(random.normal(size=(3, 4, 6))).astype(np.float32)
    there = np.array([[1, 1, 1, 1], [1, 1, 0, 0], [1, 0, 0, 0]], bool)
    np.testing.assert_allclose(forward(parameters, queries, found, there).unit, queries, atol=1e-6)
    parameters["passes"] += 1
    other = np.where(there[:, :, None], found, 5).astype(np.float32)
    first, second = (forward(parameters, queries, given, there).unit for given in (found, other))
    np.testing.assert_array_equal(first, second)
    assert not np.allclose(first, queries, atol=1e-2)


def told_by_feedback(seed=5, topics=12, count=480, dimension=24):
    """Queries that are half noise, and a first stage that knows their topic: only feedback tells what they ask for."""
    random = np.random.default_rng(seed)
    centres = unit(random.normal(size=(topics, dimension)))
    place = np.repeat(np.arange(topics), 20)
    documents = unit(centres[place] + 0.15 * random.normal(size=(place.size, dimension))).astype(np.float32)
    topic = random.integers(topics, size=count)
    queries = unit(0.35 * centres[topic] + unit(random.normal(size=(count, dimension)))).astype(np.float32)
    own = np.array([random.permutation(np.flatnonzero(place == t)) for t in topic])
    strange = np.array([random.permutation(np.flatnonzero(place != t)) for t in topic])
    feedback = np.concatenate([own[:, :4], strange[:, :1]], axis=1)
    candidates = np.concatenate([own[:, 4:8], strange[:, 1:9]], axis=1)
    return queries, documents, feedback, candidates


def first_is_right(queries, documents, candidates):
    scores = np.einsum("qd,qmd->qm", queries, documents[candidates])
    return float((scores.argmax(axis=1) < 4).mean())


def test_it_learns_what_only_feedback_tells():
    queries, documents, feedback, candidates = told_by_feedback()
    learn, test = slice(0, 360), slice(360, None)
    model = FeedbackQuery(feedback=5, heads=2, width=8, epochs=12, rate=5e-3, batch=60, seed=1)
    model.fit(queries[learn], documents, feedback[learn], candidates[learn])
    plain = first_is_right(queries[test], documents, candidates[test])
    moved = model(queries[test], documents[feedback[test]])
    other = model(queries[test], documents[np.roll(feedback[test], 7, axis=0)])
    assert plain < 0.75
    assert first_is_right(moved, documents, candidates[test]) > plain + 0.15
    assert first_is_right(other, documents, candidates[test]) < plain + 0.05
    assert 1 <= model.epoch_ <= 12


def small(**options):
    queries, documents, feedback, candidates = told_by_feedback(count=60)
    model = FeedbackQuery(
        **{"feedback": 5, "heads": 2, "width": 4, "epochs": 2, "batch": 20, "encoder": "e1"} | options
    )
    return model.fit(queries, documents, feedback, candidates), queries, documents, feedback, candidates


def test_same_seed_same_model_and_a_teachers_order_by_permutation():
    first, queries, documents, feedback, candidates = small()
    assert all((first.parameters_[name] == small()[0].parameters_[name]).all() for name in NAMES)
    reverse = np.broadcast_to(np.arange(12)[::-1], candidates.shape)
    again = FeedbackQuery(feedback=5, heads=2, width=4, epochs=2, batch=20)
    again.fit(queries, documents, feedback, candidates[:, ::-1], reverse)
    assert all((first.parameters_[name] == again.parameters_[name]).all() for name in NAMES)


def test_fewer_documents_more_and_none():
    model, queries, documents, feedback, _ = small(holdout=0.0)
    given = documents[feedback[:3]]
    more = np.concatenate([given, given], axis=1)
    np.testing.assert_array_equal(model(queries[:3], given), model(queries[:3], more))
    scores = np.zeros((3, 5))
    scores[1, 2:] = -INFINITE
    scores[2] = -INFINITE
    moved = model(queries[:3], given, scores)
    np.testing.assert_array_equal(moved[0], model(queries[:1], given[:1])[0])
    np.testing.assert_allclose(moved[1], model(queries[1:2], given[1:2, :2])[0], atol=1e-6)
    np.testing.assert_allclose(moved[2], queries[2], atol=1e-6)
    np.testing.assert_allclose(np.linalg.norm(moved, axis=1), 1, atol=1e-5)
    assert model(queries[:0], given[:0]).shape == (0, 24)


@pytest.mark.parametrize("itself", [True, False])
def test_queries_without_feedback_do_not_disturb_learning(itself):
    queries, documents, feedback, candidates = told_by_feedback(count=60)
    feedback[::3] = -1
    model = FeedbackQuery(feedback=5, heads=2, width=4, itself=itself, epochs=2, batch=20)
    model.fit(queries, documents, feedback, candidates)
    assert all(np.isfinite(values).all() for values in model.parameters_.values())


def test_saved_and_read_again(tmp_path):
    model, queries, documents, feedback, _ = small()
    path = tmp_path / "model.npz"
    model.save(path)
    read = FeedbackQuery.load(path)
    np.testing.assert_array_equal(read(queries, documents[feedback]), model(queries, documents[feedback]))
    assert (read.encoder, read.epoch_, read.itself) == ("e1", model.epoch_, True)
    read.check("e1")
    with pytest.raises(FingerprintMismatch):
        read.check("e2")
    FeedbackQuery().check("anything")
    assert [*tmp_path.iterdir()] == [path]


def test_what_is_no_model_is_refused(tmp_path):
    model = small()[0]
    path = tmp_path / "model.npz"
    model.save(path)
    whole = path.read_bytes()
    with np.load(path) as stored:
        arrays = dict(stored)
    about = json.loads(str(arrays["about"]))

    def written(**changed):
        file = io.BytesIO()
        np.savez(file, **{**arrays, **changed})
        return file.getvalue()

    nan = np.full_like(arrays["reads"], np.nan)
    for content in (
        b"",
        b"no model",
        whole[: len(whole) // 2],
        written(about=np.array("[]")),
        written(about=np.array(json.dumps({**about, "format": 99}))),
        written(about=np.array(json.dumps({**about, "width": 5}))),
        written(about=np.array(json.dumps({**about, "more": 5}))),
        written(reads=nan),
        written(reads=np.array([{"a": 1}], dtype=object)),
    ):
        path.write_bytes(content)
        with pytest.raises(InputError):
            FeedbackQuery.load(path)
    with pytest.raises(InputError):
        FeedbackQuery.load(tmp_path / "nothing.npz")
    with pytest.raises(InputError):
        FeedbackQuery().save(path)


def test_the_model_refuses():
    queries, documents, feedback, candidates = told_by_feedback(count=20)
    model = FeedbackQuery(feedback=5, heads=1, width=2, epochs=1)
    with pytest.raises(InputError, match="not fitted"):
        model(queries, documents[feedback])
    first = candidates.copy()
    first[0, 0] = -1
    for arguments in (
        (queries, documents, feedback[:5], candidates),
        (queries, documents, feedback + 10_000, candidates),
        (queries, documents, feedback, candidates.astype(float)),
        (queries, documents, feedback, first),
        (queries, documents[:, :3], feedback, candidates),
        (queries, documents, feedback, candidates, np.zeros_like(candidates)),
        (queries[:0], documents, feedback[:0], candidates[:0]),
    ):
        with pytest.raises(InputError):
            model.fit(*arguments)
    with pytest.raises(InputError):
        model.fit(queries, documents, feedback, candidates, groups=[1, 2])
    for options in ({"feedback": 0}, {"rate": 0}, {"ranking": -1}, {"holdout": 1.0}, {"heads": 0}):
        with pytest.raises(InputError):
            FeedbackQuery(**options)
    fitted = small()[0]
    with pytest.raises(InputError):
        fitted(queries, documents[feedback], np.zeros((20, 2)))
    with pytest.raises(InputError):
        fitted(queries[:, :4], documents[feedback][:, :, :4])
