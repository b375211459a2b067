"""Re-ranking loses nothing, and a judge's failures are reported and never raised."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from similia.errors import InputError
from similia.rank.judging import AspectJudge, Tally
from similia.rank.listwise import Reranked, rerank
from similia.rank.stages import rerank_by_judge
from similia.types import Hits


def hits_of(lengths: list[int], k: int) -> Hits:
    hits = Hits.empty(len(lengths), k)
    for query, length in enumerate(lengths):
        hits.ids[query, :length] = 100 * query + np.arange(length)
        hits.scores[query, :length] = -np.arange(length)
    return hits


@given(st.lists(st.integers(0, 7), max_size=4), st.integers(1, 9), st.data())
def test_no_candidate_is_lost_and_the_rest_stays(lengths, top, data):
    hits = hits_of(lengths, 7)
    orders = [data.draw(st.none() | st.permutations(range(min(length, top)))) for length in lengths]
    found = rerank(hits, orders=orders, top=top)
    assert found.scores.tolist() == hits.scores.tolist()
    for query, (order, length) in enumerate(zip(orders, lengths, strict=True)):
        moved = list(range(min(length, top))) if order is None else order
        expected = [100 * query + place for place in moved] + [100 * query + p for p in range(len(moved), length)]
        assert found.ids[query, :length].tolist() == expected
        assert (found.ids[query, length:] == -1).all()


@given(st.lists(st.integers(0, 7), max_size=4), st.integers(1, 7), st.data())
def test_scores_sort_and_those_without_keep_their_place(lengths, top, data):
    hits = hits_of(lengths, 7)
    value = st.sampled_from([0.0, 0.5, 1.0, -np.inf, np.nan])
    scores = np.array([[data.draw(value) for _ in range(7)] for _ in lengths]).reshape(-1, 7)
    found = rerank(hits, scores=scores, top=top)
    for query, length in enumerate(lengths):
        places = found.ids[query, :length] - 100 * query
        moved = places[: min(length, top)]
        row = scores[query, moved]
        assert sorted(places.tolist()) == list(range(length))
        assert all(moved[place] == place for place in np.flatnonzero(np.isnan(row)))
        kept = moved[~np.isnan(row)].tolist()
        assert kept == sorted(kept, key=lambda place: (-scores[query, place], place))


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"orders": [[0, 1]], "scores": [[1, 2]]},
        {"orders": [[0, 0]]},
        {"orders": [[0]]},
        {"orders": [[0, 2]]},
        {"orders": []},
        {"orders": [[0, 1]], "top": 0},
        {"scores": [1.0, 2.0]},
        {"scores": [[1.0]]},
        {"scores": [[1.0, 2.0]] * 2},
    ],
)
def test_what_does_not_fit_is_refused(settings):
    with pytest.raises(InputError):
        rerank(hits_of([2], 3), **settings)


def test_no_query_gives_no_hits():
    assert len(rerank(Hits.empty(0, 3), orders=[])) == 0
    assert rerank(Hits.empty(2, 0), scores=np.empty((2, 0))).ids.shape == (2, 0)


def test_moves_and_gain():
    before = Hits([[1, 2, 3, -1], [5, -1, -1, -1]], [[3, 2, 1, -np.inf], [1, -np.inf, -np.inf, -np.inf]])
    stage = Reranked(rerank(before, orders=[[2, 0, 1], None]), before, Tally(1, 2, 0, 7.0), np.array([True, False]))
    assert stage.moved.tolist() == [[2, -1, -1, 0], [0, 0, 0, 0]]
    assert stage.gain(lambda hits: (hits.ids[:, 0] == 3).mean()) == 0.5
    assert str(stage) == "1 of 2 queries judged, 1 changed; 1 calls, 2 cached, 0 failures, 7 ms"


# -- stages

TEXTS = {0: "red dog", 1: "red cat", 2: "old cat", 3: "red red cat"}
HITS = Hits([[0, 1, 2, 3, -1], [2, 1, -1, -1, -1]], [[4, 3, 2, 1, -np.inf], [2, 1, *[-np.inf] * 3]])


def by_words() -> AspectJudge:
    return AspectJudge(lambda query: dict.fromkeys(query.split()), lambda item, word, _: word in item.split())


class Scripted:
    """A judge that gives, or raises, what it is told to."""

    name, fingerprint = "scripted", "0" * 64

    def __init__(self, *answers):
        self.answers = list(answers)
        self.seen = []

    def _next(self, items):
        self.seen.append(list(items))
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def grade(self, query, items):
        return self._next(items)

    def order(self, query, items):
        return self._next(items)


@pytest.mark.parametrize("by", ["order", "grade"])
@pytest.mark.parametrize("texts", [TEXTS, TEXTS.get, list(TEXTS.values())])
def test_a_judge_reorders_the_top(by, texts):
    stage = rerank_by_judge(by_words(), ["red cat", "red"], HITS, texts, by=by)
    assert stage.hits.ids.tolist() == [[1, 3, 0, 2, -1], [1, 2, -1, -1, -1]] or by == "order"
    assert stage.hits.ids[1].tolist() == [1, 2, -1, -1, -1]
    assert (stage.hits.ids[0, 0], stage.judged.all(), stage.errors) == (1, True, ())
    assert (stage.tally.calls, stage.missing) == (6, 0)


def test_only_the_top_is_shown_and_moves():
    judge = Scripted([1, 0], [1, 0])
    stage = rerank_by_judge(judge, ["a", "b"], HITS, TEXTS, top=2)
    assert judge.seen == [["red dog", "red cat"], ["old cat", "red cat"]]
    assert stage.hits.ids.tolist() == [[1, 0, 2, 3, -1], [1, 2, -1, -1, -1]]


def test_a_hit_without_text_keeps_its_place():
    judge = Scripted([2, 1, 0], [0])
    stage = rerank_by_judge(judge, ["a", "b"], HITS, lambda item: None if item == 1 else TEXTS[item])
    assert judge.seen == [["red dog", "old cat", "red red cat"], ["old cat"]]
    assert stage.hits.ids.tolist() == [[3, 1, 2, 0, -1], [2, 1, -1, -1, -1]]
    assert stage.missing == 2
    assert rerank_by_judge(Scripted(), ["a", "b"], HITS, {}).hits.ids.tolist() == HITS.ids.tolist()


@pytest.mark.parametrize(
    "answer",
    [None, RuntimeError("boom"), [0, 0, 1, 2], [0, 1], ["x"], 7, [9, 8, 7, 6], KeyError("k"), [None] * 4],
)
def test_a_failing_judge_leaves_the_order_and_is_reported(answer):
    stage = rerank_by_judge(Scripted(answer, [1, 0]), ["a", "b"], HITS, TEXTS)
    assert stage.hits.ids.tolist() == [HITS.ids[0].tolist(), [1, 2, -1, -1, -1]]
    assert stage.judged.tolist() == [False, True]
    assert stage.tally.failures == 1
    assert len(stage.errors) == 1
    assert stage.errors[0]


@pytest.mark.parametrize("answer", [np.full(4, np.nan), np.zeros(3), None, "abc", np.zeros((4, 1))])
def test_failing_grades_leave_the_order(answer):
    stage = rerank_by_judge(Scripted(answer, np.array([0.1, 0.9])), ["a", "b"], HITS, TEXTS, by="grade")
    assert stage.hits.ids.tolist() == [HITS.ids[0].tolist(), [1, 2, -1, -1, -1]]
    assert stage.judged.tolist() == [False, True]


def test_partly_graded_hits_keep_their_places():
    graded = np.array([0.1, np.nan, 0.2, 0.9])
    stage = rerank_by_judge(Scripted(graded, np.zeros(2)), ["a", "b"], HITS, TEXTS, by="grade")
    assert stage.hits.ids[0].tolist() == [3, 1, 2, 0, -1]


def test_a_dead_judge_is_given_up():
    many = Hits(np.tile([[1, 2]], (9, 1)), np.tile([[1.0, 0.5]], (9, 1)))
    judge = Scripted(None, [1, 0], *[RuntimeError("dead")] * 9)
    stage = rerank_by_judge(judge, ["q"] * 9, many, TEXTS, give_up=2)
    assert len(judge.seen) == 4
    assert stage.judged.tolist() == [False, True] + [False] * 7
    assert "given up after 2" in stage.errors[-1]


def test_an_interrupt_is_no_failure():
    class Interrupted(Scripted):
        def order(self, query, items):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        rerank_by_judge(Interrupted(), ["a", "b"], HITS, TEXTS)


@pytest.mark.parametrize(
    "settings", [{"queries": ["a"]}, {"queries": "ab"}, {"by": "luck"}, {"top": 0}, {"give_up": 0}]
)
def test_wrong_use_is_refused(settings):
    with pytest.raises(InputError):
        rerank_by_judge(
            by_words(), settings.pop("queries", ["a", "b"]), HITS, TEXTS, **{"top": 10, "by": "order", **settings}
        )
