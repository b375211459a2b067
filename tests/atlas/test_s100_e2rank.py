"""E2Rank: lists, teacher and measures by hand, and a small run."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from similia.atlas import feedback_lists as lists
from similia.atlas import s100_e2rank as e2rank
from similia.atlas.registry import Settings
from similia.evaluate import datasets
from similia.index import ExactIndex


def made(count=40, answers=60, seed=0):
    """Questions and answers by chance; question i is answered by answer i, and even ones by the next too."""
    random = np.random.default_rng(seed)
    documents = random.normal(size=(answers, 8)).astype(np.float32)
    documents /= np.linalg.norm(documents, axis=1, keepdims=True)
    queries = (documents[:count] + 0.4 * random.normal(size=(count, 8))).astype(np.float32)
    queries /= np.linalg.norm(queries, axis=1, keepdims=True)
    right = np.stack([np.arange(count), np.where(np.arange(count) % 2, -1, np.arange(count) + 1)], axis=1)
    focus, kind = np.arange(answers) // 4, np.arange(answers) % 3
    hits = ExactIndex(documents).search(queries, 30)
    return lists.Questions(queries, documents, hits, right, focus[:count], focus, kind[:count], kind)


def test_no_focus_is_learned_from_and_tested():
    found = made()
    learn, test = lists.split(found.focus, 0)
    assert not {*found.focus[learn]} & {*found.focus[test]}
    assert sorted([*learn, *test]) == [*range(40)]
    assert len({*found.focus[learn]}) == 7


def test_the_teacher_puts_right_answers_first_then_focus_then_kind_then_cosine():
    found = made()
    rows = np.array([4, 7])
    candidates, permutations = lists.teacher(found, rows)
    for row, given, order in zip(rows, candidates, permutations, strict=True):
        assert sorted(order) == [*range(16)]
        right = {item for item in found.right[row].tolist() if item >= 0}
        assert right <= {*given.tolist()}
        ranked = given[order]
        keys = [
            (
                item not in right,
                found.document_focus[item] != found.focus[row],
                found.document_kind[item] != found.kind[row],
                -float(found.documents[item].astype(float) @ found.queries[row]),
            )
            for item in ranked.tolist()
        ]
        assert [key[:3] for key in keys] == sorted(key[:3] for key in keys)
        assert all(a[3] <= b[3] + 1e-6 for a, b in pairwise(keys) if a[:3] == b[:3])


def test_a_short_pool_leaves_empty_places_last():
    found = made(count=4, answers=9)
    candidates, permutations = lists.teacher(found, np.arange(4))
    ordered = np.take_along_axis(candidates, permutations, axis=1)
    assert (ordered[:, :9] >= 0).all()
    assert (ordered[:, 9:] == -1).all()


def test_hits_of_other_queries_are_of_others():
    found = made()
    rows = np.arange(5, 35)
    own, strange = lists.feedback(found, rows, 6), lists.feedback(found, rows, 6, shuffle=3)
    assert (own == found.hits.ids[5:35, :6]).all()
    assert sorted(map(tuple, strange)) == sorted(map(tuple, own))
    givers = [next(row for row in rows if tuple(found.hits.ids[row, :6]) == tuple(seen)) for seen in strange]
    assert all(giver != row for giver, row in zip(givers, rows, strict=True))


def test_quality_by_hand():
    gains = lists.gains(np.array([[3, 5, 1], [3, 5, 1], [-1, -1, -1]]), np.array([[5, -1], [3, 1], [-1, 2]]))
    second = 1 / np.log2(3)
    np.testing.assert_allclose(gains, [second, (1 + 0.5) / (1 + second), 0])
    found = made()
    rows = np.arange(40)
    again = lists.quality(found, rows, found.queries)
    np.testing.assert_allclose(again, lists.gains(found.hits.ids[:, :10], found.right), atol=1e-12)


def test_verdicts():
    plain = np.full(10, 0.5)
    names = ("InfoNCE alone", "hits of other queries", "attention to the hits alone", "K = 1", "K = 5", "K = 50")
    means = {"trained": plain + 0.1, **dict.fromkeys(names, plain + 0.04)}
    assert e2rank.both_needed(plain, means).verdict == "reproduced"
    assert e2rank.both_needed(plain, {**means, "InfoNCE alone": plain + 0.06}).verdict == "not reproduced"
    assert e2rank.both_needed(plain, {**means, "trained": plain - 0.1}).verdict == "not reproduced"
    rising = {**means, "K = 5": plain + 0.08, "K = 50": plain + 0.105}
    assert e2rank.more_feedback(plain, rising).verdict == "reproduced"
    assert e2rank.more_feedback(plain, {**rising, "K = 1": plain + 0.09}).verdict == "not reproduced"
    assert e2rank.more_feedback(plain, {**rising, "K = 50": plain}).verdict == "not reproduced"
    found, test = made(), np.arange(10)
    rocchio = plain + 0.02
    good = e2rank.better_order(plain, rocchio, means, {"trained": [means["trained"]]}, {}, found, test)
    assert good.verdict == "reproduced"
    little = {"trained": plain + 0.029}
    assert (
        e2rank.better_order(plain, rocchio, little, {"trained": [little["trained"]]}, {}, found, test).verdict
        == "not reproduced"
    )


def test_judged_sentences():
    documents = np.eye(4, dtype=np.float32)
    found = lists.Sentences(
        documents[:2], documents, np.array([[0, 1, 2], [1, 3, -1]]), np.array([[0.0, 1, 0], [1, 0, 0]])
    )
    np.testing.assert_allclose(found.quality(documents[:2]), [1 / np.log2(3), 1])


def test_a_small_run():
    if not all(map(datasets.available, e2rank.INFO.data)):
        pytest.skip("a data set of the system is not on this machine")
    claims = e2rank.run(Settings(quick=True, progress=False))
    assert [claim.number for claim in claims] == [1, 2, 3, 4, 5]
    assert tuple(claim.says for claim in claims) == e2rank.INFO.claims
    for claim in claims:
        assert np.isfinite([*claim.measured.values(), *claim.baseline.values()]).all()
    verdicts = {claim.number: claim.verdict for claim in claims}
    assert verdicts[4] == verdicts[5] == "reproduced"
