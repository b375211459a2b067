"""Judges by rules and by pair models, kept answers, and the report on a judge's quality."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from similia.errors import InputError, ModelError
from similia.rank.judging import AspectJudge, CachedJudge, Judge, PairJudge, Tally, judge_report
from similia.rank.judging.base import order_by


class Words:
    """A pair model: the share of the left words that are on the right."""

    name = "words"
    fingerprint = "f" * 64

    def logits(self, left, right):
        return self.score(left, right)[:, None]

    def score(self, left, right):
        if "broken" in right:
            raise ModelError("the model is broken")
        return np.array(
            [len({*a.split()} & {*b.split()}) / len(a.split()) for a, b in zip(left, right, strict=True)], np.float32
        )


def words_judge(**settings) -> AspectJudge:
    return AspectJudge(
        lambda query: dict.fromkeys(query.split(), 1.0), lambda item, word, _: float(word in item.split()), **settings
    )


def test_a_pair_judge_orders_by_score():
    judge = PairJudge(Words())
    assert isinstance(judge, Judge)
    items = ["x", "red cat", "cat", "red", "red cat x"]
    np.testing.assert_allclose(judge.grade("red cat", items), [0, 1, 0.5, 0.5, 1])
    assert judge.order("red cat", items) == [1, 4, 2, 3, 0]
    assert judge.order("red cat", []) == []
    assert judge.grade("red cat", []).shape == (0,)
    assert judge.tally.calls == 2
    with pytest.raises(InputError):
        PairJudge("a model")


def test_a_pair_model_that_fails_is_a_failed_judge():
    judge = PairJudge(Words())
    assert np.isnan(judge.grade("a", ["b", "broken"])).all()
    assert judge.order("a", ["broken"]) is None
    assert (judge.tally.failures, judge.tally.last_error) == (3, "the model is broken")


grades = st.lists(st.sampled_from([0.0, 0.25, 0.5, 1.0, float("nan")]), max_size=8)


@given(grades)
def test_what_has_no_grade_keeps_its_place(values):
    order = order_by(values)
    assert sorted(order) == list(range(len(values)))
    assert all(order[place] == place for place, value in enumerate(values) if np.isnan(value))
    graded = [place for place in order if not np.isnan(values[place])]
    assert graded == sorted(graded, key=lambda place: (-values[place], place))


def test_aspects_are_compared_by_rarity():
    judge, plain = words_judge(), words_judge(compare=False)
    items = ["red dog", "red car", "old cat", "red old bird"]
    assert plain.order("red cat", items) == [0, 1, 2, 3]
    assert judge.order("red cat", items) == [2, 0, 1, 3]
    assert judge.fingerprint != plain.fingerprint
    assert judge.order("", items) is None
    assert judge.order("", []) == []
    assert np.isnan(judge.grade("", items)).all()
    with pytest.raises(InputError, match="0 to 1"):
        AspectJudge(lambda query: {"a": 1}, lambda *_: 7).grade("q", ["i"])


# -- kept answers


def test_answers_are_kept_by_judge_query_and_item(tmp_path):
    judge = words_judge()
    with CachedJudge(judge, tmp_path / "deep" / "j.db") as cached:
        assert isinstance(cached, Judge)
        first = cached.grade("red cat", ["a cat", "a dog", "a cat"])
        assert judge.tally.calls == 2  # equal items are asked once
        np.testing.assert_allclose(first, [0.5, 0, 0.5])
        np.testing.assert_allclose(cached.grade("red cat", ["a dog", "a cat", "red"]), [0, 0.5, 0.5])
        assert (judge.tally.calls, cached.tally.cached, len(cached)) == (3, 2, 3)
        cached.grade("cat", ["a dog"])
        assert judge.tally.calls == 4
    with CachedJudge(words_judge(name="other"), tmp_path / "deep" / "j.db") as cached:
        cached.grade("red cat", ["a cat"])
        assert cached.tally.cached == 0
    with CachedJudge(words_judge(), tmp_path / "deep" / "j.db") as cached:
        cached.grade("red cat", ["a cat"])
        assert (cached.tally.cached, cached.tally.calls) == (1, 0)


def test_orders_are_kept_for_the_list_as_it_came(tmp_path):
    with CachedJudge(words_judge(), tmp_path / "j.db") as cached:
        assert cached.order("red cat", ["x", "red cat"]) == [1, 0]
        assert cached.order("red cat", ["x", "red cat"]) == [1, 0]
        assert cached.tally.cached == 1
        assert cached.order("red cat", ["red cat", "x"]) == [0, 1]
        assert cached.tally.cached == 1


def test_failures_are_asked_again(tmp_path):
    with CachedJudge(PairJudge(Words()), tmp_path / "j.db", step=1) as cached:
        found = cached.grade("cat", ["cat", "broken", "dog"])
        np.testing.assert_allclose(found, [1, np.nan, 0])
        assert len(cached) == 2
        assert cached.order("cat", ["broken"]) is None
        assert cached.tally.failures == 2
        assert np.isnan(cached.grade("cat", ["broken"])).all()
        assert cached.tally.calls == 5


def test_a_file_that_is_something_else_is_refused(tmp_path):
    (tmp_path / "j.db").write_text("these are the notes of a user, " * 100)
    with pytest.raises(InputError, match="cannot be used"):
        CachedJudge(words_judge(), tmp_path / "j.db")
    assert (tmp_path / "j.db").read_text().startswith("these are")
    with pytest.raises(InputError, match="step"):
        CachedJudge(words_judge(), tmp_path / "k.db", step=0)


def test_a_file_that_cannot_be_written_costs_the_memory_only(tmp_path):
    import apsw

    with CachedJudge(words_judge(), tmp_path / "j.db") as cached:
        cached._database.set_busy_timeout(10)
        other = apsw.Connection(str(tmp_path / "j.db"))
        other.execute("BEGIN IMMEDIATE")
        np.testing.assert_allclose(cached.grade("cat", ["cat"]), [1])
        assert "cannot be written" in cached.tally.last_error
        other.execute("ROLLBACK")
        other.close()
        cached.grade("cat", ["cat"])
        assert len(cached) == 1


ASK = """
import sys, time
from similia.rank.judging import AspectJudge, CachedJudge
slow = float(sys.argv[3])
def meets(item, word, _):
    time.sleep(slow)
    return float(word in item.split())
judge = AspectJudge(lambda query: dict.fromkeys(query.split()), meets)
with CachedJudge(judge, sys.argv[1], step=1) as cached:
    print("ready", flush=True)
    grades = cached.grade("cat", [f"cat {i}" if i % 2 else f"dog {i}" for i in range(int(sys.argv[2]))])
    print(grades.sum(), cached.tally.cached, cached.tally.calls, cached.tally.last_error)
"""


def ask(path: Path, count: int, slow: float) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", ASK, str(path), str(count), str(slow)], stdout=subprocess.PIPE, text=True
    )


def test_two_processes_share_a_file(tmp_path):
    both = [ask(tmp_path / "j.db", 60, 0.002) for _ in range(2)]
    said = [process.communicate(timeout=60)[0] for process in both]
    assert [text.split()[:2] for text in said] == [["ready", "30.0"]] * 2
    assert all(text.rstrip()[-1].isdigit() for text in said)  # no error
    with CachedJudge(words_judge(), tmp_path / "j.db") as cached:
        assert len(cached) == 60


def test_what_was_judged_survives_a_kill(tmp_path):
    process = ask(tmp_path / "j.db", 200, 0.01)
    assert process.stdout.readline() == "ready\n"
    time.sleep(0.5)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    with CachedJudge(words_judge(), tmp_path / "j.db") as cached:
        kept = len(cached)
        assert 0 < kept < 200
    said = ask(tmp_path / "j.db", 200, 0).communicate(timeout=60)[0].split()
    assert said[:4] == ["ready", "100.0", str(kept), str(200 - kept)]


# -- quality


@given(
    st.lists(st.sampled_from([0.0, 0.3, 0.7, 1.0, float("nan")]), min_size=1, max_size=6),
    st.integers(1, 4),
    st.randoms(use_true_random=False),
)
def test_auc_is_that_of_counted_pairs(positives, width, random):
    negatives = [[random.choice([0.0, 0.3, 0.7, 1.0, float("nan")]) for _ in range(width)] for _ in positives]

    def wins(pairs):
        pairs = [(p, n) for p, n in pairs if not np.isnan(p) and not np.isnan(n)]
        return (sum((p > n) + 0.5 * (p == n) for p, n in pairs) / len(pairs), len(pairs)) if pairs else None

    own = wins([(p, n) for p, row in zip(positives, negatives, strict=True) for n in row])
    if own is None:
        with pytest.raises(InputError):
            judge_report(positives, negatives)
        return
    report = judge_report(positives, negatives)
    assert (report.auc, report.pairs) == (pytest.approx(own[0]), own[1])
    everything = wins([(p, n) for p in positives for row in negatives for n in row])
    assert report.pooled == pytest.approx(everything[0])
    assert report.unusable == int(np.isnan(positives).sum() + np.isnan(negatives).sum())
    assert report.good == (report.auc >= 0.7)


def test_a_bad_judge_is_refused_unless_forced():
    random = np.random.default_rng(0)
    report = judge_report(random.random(300), random.random((300, 8)))
    assert 0.4 < report.auc < 0.6
    with pytest.raises(InputError, match=r"AUC of 0\.\d+, below 0.7"):
        report.require()
    assert report.require(force=True) is report
    with pytest.raises(InputError):
        judge_report([0.1], [0.2])


def test_a_tally_counts_from_a_copy():
    tally = Tally(3, 1, 1, 5.0, "old")
    before = tally.copy()
    tally.calls += 2
    assert tally.since(before) == Tally(2, 0, 0, 0.0, "")


def test_the_import_loads_nothing_heavy():
    code = (
        "import sys, similia.rank.judging as j, similia.rank.listwise, similia.rank.stages\n"
        "[getattr(j, name) for name in j.__all__]\n"
        "heavy = {'torch', 'transformers', 'onnxruntime', 'openvino', 'tokenizers', 'rich', 'scipy', 'apsw'}\n"
        "assert not heavy & {*sys.modules}, heavy & {*sys.modules}"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
