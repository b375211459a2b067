"""Relevance of hits: what was learned is right, is kept as long as it holds, and refuses no code and no name."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given as having
from hypothesis import settings
from hypothesis import strategies as st
from tests.collection.conftest import WORDS, make_rows
from tests.collection.test_derived import DAMAGES, damage_folder

from similia import Collection
from similia.collection import relevance as module
from similia.collection import relevance_fit as fit
from similia.collection.relevance import Relevance, holds_all_words
from similia.encode import load
from similia.errors import InputError
from similia.evaluate import datasets
from similia.index.files import Column, open_verified, write
from similia.rank.calibration import EVERYDAY, UnlabelledCalibrator

STRANGE = [
    "how long does a passport renewal take",
    "best pizza near the railway station",
    "when do the clocks go back",
    "my neighbour's dog barks all night",
    "symptoms of a sprained ankle",
    "who is the goalkeeper of the national team",
    "repairing a leaking roof gutter",
    "cruise ships in the Caribbean",
    "which herbs grow in the shade",
    "price of a used tractor",
]


def learned(shelf: Collection, sense: str = "topic") -> Relevance | None:
    with shelf._space.reading() as state:
        return Relevance.of(state, state.ready(sense))


def known(shelf: Collection, sense: str = "topic") -> Relevance:
    found = learned(shelf, sense)
    assert found is not None
    return found


def file_of(shelf: Collection) -> Path:
    return shelf.path / "derived" / "relevance-1"


def nearest(shelf: Collection, query: str, k: int = 100) -> np.ndarray[Any, np.dtype[np.float32]]:
    return shelf.search(query, mode="dense", k=k).scores


def header(shelf: Collection) -> dict[str, Any]:
    file = open_verified(file_of(shelf))
    assert file is not None
    return file.header


def judge(shelf: Collection, queries: int, *, seed: int = 0, zeros: bool = False) -> None:
    """Two words of a title ask for the items that have both in theirs; with zeros, what is near is judged too."""
    rng = np.random.default_rng(seed)
    titles = {key: set(shelf[key]["title"].split()) for key in (f"k{n:04d}" for n in range(200))}
    judgments = []
    for place in range(queries):
        asked = sorted(map(str, rng.choice(sorted(titles[f"k{int(rng.integers(200)):04d}"]), 2, replace=False)))
        query = f"{' '.join(asked)} {WORDS[place % len(WORDS)]}"
        right = [key for key, title in titles.items() if title.issuperset(asked)]
        judgments += [{"query": query, "item": key, "grade": 2} for key in right]
        if zeros:
            found = shelf.search(query, mode="dense", k=10).keys
            judgments += [{"query": query, "item": key, "grade": 0} for key in found if key not in right]
    shelf.judgments.add_many(judgments, source="file")


@pytest.fixture
def shelf(tmp_path: Path) -> Iterator[Collection]:
    """As in the other tests, with enough dimensions that words do not collide."""
    with Collection.open(tmp_path / "shelf", create=True) as made:
        made.add(make_rows(200), key="id", text=["title", "body"], encoder="hashing")
        yield made


@pytest.fixture(scope="module")
def judged_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("relevance") / "judged"
    with Collection.open(path, create=True) as made:
        made.add(make_rows(200), key="id", text=["title", "body"], encoder="hashing")
        judge(made, 60)
        known(made)
    return path


@pytest.fixture
def judged(judged_folder: Path, tmp_path: Path) -> Iterator[Collection]:
    shutil.copytree(judged_folder, tmp_path / "judged")
    with Collection.open(tmp_path / "judged") as opened:
        yield opened


# -- without judgments


def test_without_judgments_only_the_presence_is_told(shelf: Collection) -> None:
    found = known(shelf)
    assert (found.judged, found.error, found.items, found.tells) == (0, None, 200, True)
    assert found.said == "estimated without judgments"
    own = [found.presence(nearest(shelf, query), 200) for query in ("rank fusion vector", "garden kettle", "cosine")]
    strange = [found.presence(nearest(shelf, query), 200) for query in STRANGE]
    assert min(own) > 0.5
    assert np.mean([presence < 0.5 for presence in strange]) >= 0.9
    assert found.probabilities(nearest(shelf, "rank fusion"), nearest(shelf, "rank fusion")) is None
    assert shelf.check().ok
    assert file_of(shelf).exists()


def test_the_presence_is_that_of_strange_queries_and_salads(shelf: Collection) -> None:
    """Compared by hand: vectors from the encoder, cosines from NumPy."""
    from similia.rank.calibration import word_salads

    encoder = load("hashing")
    texts = [f"{row['title']}\n{row['body']}" for row in make_rows(200)]
    items = encoder.encode(texts).vectors
    best = {}
    for name, queries in {"strange": list(EVERYDAY), "own": word_salads(texts, 200)}.items():
        vectors = encoder.encode(queries, side="query").vectors
        best[name] = (vectors @ items.T).max(axis=1, keepdims=True)[vectors.any(axis=1)]
    expected = UnlabelledCalibrator().fit(best["strange"], best["own"], items=200)
    found = known(shelf)
    for cosine in np.linspace(0, 1, 21):
        for count in (200, 20):
            assert found.presence([cosine], count) == pytest.approx(
                expected.presence([[cosine]], items=count)[0], abs=1e-6
            )


def test_edges_of_the_presence(shelf: Collection) -> None:
    found = known(shelf)
    assert found.presence([], 200) == 0
    assert found.presence([-np.inf], 200) == 0
    assert found.presence([0.9], 0) == 0
    assert found.presence(np.array([0.9, 0.3, -np.inf], np.float32), 2) > 0.5  # fewer than k
    with pytest.raises(InputError, match="NaN"):
        found.presence([np.nan, 0.5], 200)


@pytest.mark.parametrize("count", [1, module.FEWEST - 1, module.FEWEST])
def test_few_items(tmp_path: Path, count: int) -> None:
    with Collection.open(tmp_path / "few", create=True) as few:
        few.add(make_rows(count), key="id", text="title", encoder="hashing:64")
        assert (learned(few) is not None) == (count >= module.FEWEST)
        assert file_of(few).exists() == (count >= module.FEWEST)
        few.delete([f"k{n:04d}" for n in range(count)])
        assert learned(few) is None  # no item at all


def test_no_encoder_and_no_words(given: Collection, tmp_path: Path) -> None:
    assert learned(given) is None
    with Collection.open(tmp_path / "blank", create=True) as blank:
        blank.add([{"title": "?! ..."} for _ in range(60)], text="title", encoder="hashing:64")
        assert learned(blank) is None


def test_a_collection_about_everything_refuses_nothing(tmp_path: Path) -> None:
    with Collection.open(tmp_path / "all", create=True) as everything:
        everything.add([{"title": text} for text in EVERYDAY], text="title", encoder="hashing:64")
        found = known(everything)
        assert not found.tells
        assert found.presence([0.01], 100) == 1
        assert found.presence([], 100) == 0


# -- with judgments


def test_the_fitted_numbers(judged: Collection) -> None:
    """Against scikit-learn: logistic regression on cosine and place, isotonic regression on what is left."""
    pytest.importorskip("sklearn")
    from sklearn.isotonic import IsotonicRegression
    from sklearn.linear_model import LogisticRegression

    found, grades = known(judged), judged.judgments.qrels("topic")
    assert found.judged == len(grades)
    assert found.said == f"{len(grades)} judged queries"
    lists = [judged.search(query, mode="dense", k=100) for query in grades]
    scores = np.array([one.scores for one in lists], float)
    labels = np.array([[key in grades[one.query] for key in one.keys] for one in lists], float)
    place = np.tile(np.log(np.arange(1, 101)), (len(lists), 1))
    place = np.log(1 + (scores[:, None, :] > scores[:, :, None] + 1e-6).sum(axis=2))  # equal cosines share a place
    both = np.stack([20 * scores.ravel(), place.ravel()], axis=1)
    a, b = LogisticRegression(C=1e5, max_iter=2_000).fit(both, labels.ravel()).coef_[0]
    weight = min(max(-b / (20 * a), 0.0), 1.0)
    assert found._hits is not None
    assert found._hits.weight == pytest.approx(weight, abs=2e-3)
    left = scores - found._hits.weight * place
    curve = IsotonicRegression(out_of_bounds="clip").fit(left.ravel(), labels.ravel())
    for one, row in zip(scores[:20], left[:20], strict=True):
        told = found.probabilities(one, one, present=1.0)
        assert told is not None
        assert told.dtype == np.float32
        np.testing.assert_allclose(told, curve.predict(row), atol=1e-5)
    assert found.error is not None
    assert 0 <= found.error < 0.2


def test_probabilities_need_no_order_and_fall_where_nothing_is_there(judged: Collection) -> None:
    found = known(judged)
    cosines = nearest(judged, "rank fusion")
    told = found.probabilities(cosines, cosines)
    assert told is not None
    assert (np.diff(told) <= 1e-7).all()
    assert told[0] > told[-1]
    shuffled = np.random.default_rng(0).permutation(cosines.size)
    np.testing.assert_array_equal(found.probabilities(cosines[shuffled], cosines), told[shuffled])
    assert found.probabilities([], cosines).shape == (0,)  # type: ignore[union-attr]
    assert found.probabilities([-np.inf], cosines).tolist() == [0.0]  # type: ignore[union-attr]
    half = found.probabilities(cosines, cosines, present=0.25)
    np.testing.assert_allclose(half, told / 2, atol=1e-6)  # type: ignore[arg-type]
    nothing = found.probabilities(cosines[:0], cosines[:0])
    assert nothing is not None
    assert nothing.size == 0


def test_too_few_judged_queries_are_none(shelf: Collection) -> None:
    judge(shelf, module.JUDGED // 2)
    assert known(shelf).judged == 0
    made = file_of(shelf).stat().st_mtime_ns
    shelf.judgments.add("one more", "k0001", 1)
    assert known(shelf).judged == 0
    assert file_of(shelf).stat().st_mtime_ns >= made
    judge(shelf, 40, seed=5)
    found = known(shelf)
    assert found.judged == len(shelf.judgments.queries()) >= module.JUDGED
    assert found.probabilities([0.9], [0.9]) is not None


def lists_of(shelf: Collection) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    with shelf._space.reading() as state:
        row = state.ready("topic")
        encoder = state.space.encoder_of(row)
        assert encoder is not None
        return fit.judged_lists(state, row, encoder, shelf.judgments.qrels("topic"))


def test_what_nobody_judged(shelf: Collection) -> None:
    """It is irrelevant, but where somebody looked through the best hits: there it says nothing."""
    queries = ("rank fusion", "garden tea")
    first, second = (shelf.search(query, mode="dense", k=100) for query in queries)
    shelf.judgments.add(queries[0], first.keys[3], 2)
    shelf.judgments.add(queries[1], second.keys[0], 1)
    shelf.judgments.add(queries[1], second.keys[1], 0)  # noted, no more
    scores, labels = lists_of(shelf)
    np.testing.assert_allclose(scores, [first.scores, second.scores], rtol=1e-6)
    np.testing.assert_array_equal(labels[0], np.arange(100) == 3)
    np.testing.assert_array_equal(labels[1], np.arange(100) == 0)
    for key in second.keys[2:5]:
        shelf.judgments.add(queries[1], key, 0)
    _, labels = lists_of(shelf)
    np.testing.assert_array_equal(labels[0], np.arange(100) == 3)  # of this query nothing was refused
    np.testing.assert_array_equal(labels[1], [1, 0, 0, 0, 0, *[np.nan] * 95])


def test_with_zeros_the_rest_is_not_taken_for_irrelevant(shelf: Collection) -> None:
    judge(shelf, 60, zeros=True)
    found = known(shelf)
    assert found.judged >= 50
    cosines = nearest(shelf, "rank fusion")
    told = found.probabilities(cosines, cosines)
    assert told is not None
    assert ((told >= 0) & (told <= 1)).all()


def test_judgments_of_another_sense_do_not_count(shelf: Collection) -> None:
    shelf.senses.add("name", text="title", encoder="hashing:64")
    rows = [{"query": f"{a} {b}", "item": "k0001", "grade": 1} for a in WORDS[:6] for b in WORDS[6:12]]
    shelf.judgments.add_many(rows, sense="name")
    assert known(shelf).judged == 0
    assert known(shelf, "name").judged == 36


# -- kept


def test_it_is_kept_and_not_learned_again(judged: Collection, monkeypatch: pytest.MonkeyPatch) -> None:
    before, made = known(judged), file_of(judged).stat().st_mtime_ns
    assert known(judged) is before
    monkeypatch.setattr(fit, "fit_presence", None)  # learning would fail
    with Collection.open(judged.path) as again:
        assert known(again).to_dict() == before.to_dict()
    assert file_of(judged).stat().st_mtime_ns == made


def test_it_follows_judgments(judged: Collection) -> None:
    before, file = known(judged), header(judged)
    judged.judgments.add("rank fusion glacier", "k0001", 1)
    after = known(judged)
    assert after.judged == before.judged + 1
    assert header(judged)["judgments"] != file["judgments"]
    judged.undo()
    assert known(judged).to_dict() == before.to_dict()
    assert header(judged)["judgments"] == file["judgments"]
    judged.judgments.remove(source="file")
    assert known(judged).judged == 0
    assert known(judged).error is None


def test_it_stays_while_few_items_change(judged: Collection) -> None:
    before = known(judged)
    for start, count in ((300, 20), (320, 15)):
        judged.add(make_rows(count, start=start), key="id")
        assert known(judged).to_dict() == before.to_dict()
        with Collection.open(judged.path) as again:
            assert known(again).to_dict() == before.to_dict()
    assert header(judged)["changed"] == 35
    judged.delete(["k0300", "k0301", "k0302", "k0303"])
    assert known(judged).items == 200
    assert header(judged)["changed"] == 39
    judged.add(make_rows(5, start=320, seed=3), key="id", on_duplicate="replace")
    assert known(judged).items == 231  # 44 of 200 changed: learned anew
    assert header(judged)["changed"] == 0


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.__name__)
def test_a_damaged_file_is_made_again(judged: Collection, damage: Callable[[Path], None]) -> None:
    before = known(judged).to_dict()
    damage(file_of(judged))
    with Collection.open(judged.path) as again:
        assert known(again).to_dict() == before
        if damage is not damage_folder:
            assert header(again)["similia"] == "relevance"


def test_a_file_of_something_else_is_not_trusted(judged: Collection, tmp_path: Path) -> None:
    before, said = known(judged).to_dict(), header(judged)
    said = {name: value for name, value in said.items() if name not in ("arrays", "size")}
    strange = {**before, "judged": 7}

    def put(changed: dict[str, Any], content: bytes) -> None:
        column = Column.of(np.frombuffer(content, np.uint8))
        write(file_of(judged), {**said, **changed}, {"fitted": column})

    whole = json.dumps(strange).encode()
    put({}, whole)
    with Collection.open(judged.path) as again:
        assert known(again).judged == 7  # so it would be read
    for changed in (
        {"format": 99},
        {"similia": "index"},
        {"collection": "another"},
        {"sense": 2},
        {"fingerprint": "another"},
        {"dimension": 32},
        {"judgments": "others"},
        {"version": 10_000},
        {"changed": None},
        {"changed": 100},
    ):
        put(changed, whole)
        with Collection.open(judged.path) as again:
            assert known(again).to_dict() == before, changed
    for content in (
        b"",
        b"[]",
        b"{",
        json.dumps({**strange, "presence": {}}).encode(),
        json.dumps({**strange, "hits": 3}).encode(),
        json.dumps({**strange, "presence": {**strange["presence"], "encoder": "another"}}).encode(),
    ):
        put({}, content)
        with Collection.open(judged.path) as again:
            assert known(again).to_dict() == before, content


def test_a_folder_that_cannot_be_written(judged: Collection) -> None:
    before = known(judged).to_dict()
    shutil.rmtree(judged.path / "derived")
    (judged.path / "derived").write_text("in the way")
    with Collection.open(judged.path) as again:
        found = known(again)
        assert found.to_dict() == before
        assert known(again) is found


def test_the_file_goes_with_the_sense(judged: Collection) -> None:
    assert file_of(judged).exists()
    judged.senses.drop("topic")
    assert not file_of(judged).exists()


LEARN = """
import json, sys
from similia import Collection
from similia.collection.relevance import Relevance
with Collection.open(sys.argv[1]) as shelf, shelf._space.reading() as state:
    print(json.dumps(Relevance.of(state, state.ready("topic")).to_dict()))
"""


def test_two_processes_at_once(judged: Collection) -> None:
    before = known(judged).to_dict()
    file_of(judged).unlink()
    started = [
        subprocess.Popen([sys.executable, "-c", LEARN, str(judged.path)], stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    for one in started:
        said, _ = one.communicate()
        assert one.returncode == 0
        assert json.loads(said) == before
    assert header(judged)["similia"] == "relevance"


def test_threads_learn_once(judged: Collection, monkeypatch: pytest.MonkeyPatch) -> None:
    file_of(judged).unlink()
    calls, found = [], []
    learn = fit.fit_presence

    def counted(*args: Any) -> Any:
        calls.append(1)
        return learn(*args)

    monkeypatch.setattr(fit, "fit_presence", counted)
    with Collection.open(judged.path) as again:
        threads = [threading.Thread(target=lambda: found.append(known(again))) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(calls) == 1
    assert all(one is found[0] for one in found)
    assert len(found) == 6


def test_stored_forms(judged: Collection) -> None:
    found = known(judged)
    again = Relevance.from_dict(json.loads(json.dumps(found.to_dict())))
    cosines = nearest(judged, "garden tea")
    np.testing.assert_array_equal(found.probabilities(cosines, cosines), again.probabilities(cosines, cosines))
    for stored in ({}, {"judged": "many"}, {**found.to_dict(), "presence": None}):
        with pytest.raises(InputError):
            Relevance.from_dict(stored)


# -- the curve of a hit


def test_the_weight_of_the_place_is_found() -> None:
    rng = np.random.default_rng(0)
    scores = -np.sort(-rng.random((400, 30)), axis=1)
    log_odds = 20 * (scores - 0.2 * np.log(np.arange(1, 31))) - 8
    labels = (rng.random(scores.shape) < 1 / (1 + np.exp(-log_odds))).astype(float)
    assert fit.place_weight(scores, labels) == pytest.approx(0.2, abs=0.02)
    assert fit.place_weight(scores, 1 - labels) == 0.0  # the worse, the better: neither says anything
    beyond = np.tile(np.arange(30) < 5, (400, 1)).astype(float)  # the place alone says it
    assert fit.place_weight(scores, beyond) == 1.0
    assert 0 <= fit.place_weight(scores, np.ones_like(scores)) <= 1


@settings(deadline=None)
@having(st.integers(2, 60), st.integers(1, 30), st.integers(0, 2**32 - 1))
def test_probabilities_rise_with_the_cosine(queries: int, depth: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    scores = -np.sort(-rng.normal(size=(queries, depth)).round(2), axis=1)
    labels = np.where(rng.random(scores.shape) < 0.2, np.nan, rng.integers(0, 2, scores.shape))
    scores[0, depth // 2 :] = -np.inf
    if np.isnan(labels[scores > -np.inf]).all():
        return
    curve = fit.HitCurve.fit(scores, labels)
    for row in scores:
        told = curve.transform(row, row)
        assert ((told >= 0) & (told <= 1)).all()
        assert (np.diff(told) <= 1e-6).all()
        assert (told[row == -np.inf] == 0).all()
    stored = fit.HitCurve.from_dict(json.loads(json.dumps(curve.to_dict())))
    np.testing.assert_array_equal(stored.transform(scores[1], scores[1]), curve.transform(scores[1], scores[1]))
    error = fit.held_out_error(scores, labels)
    assert np.isnan(error) or 0 <= error <= 1


# -- every word in one item


@pytest.fixture(scope="module")
def parts(tmp_path_factory: pytest.TempPathFactory) -> Collection:
    rows = [
        {"id": "a", "title": "Pump XJ-900", "note": "Made by Müller & Söhne", "year": 2001},
        {"id": "b", "title": "Pump XJ-901", "note": "copies of the old one", "year": 2020},
        {"id": "c", "title": "Valve 12.5/b", "note": "東京大学 の バルブ", "year": 2020},
    ]
    with Collection.open(tmp_path_factory.mktemp("parts") / "parts", create=True) as made:
        made.add(rows, key="id", text=["title", "note"], encoder="hashing:64")
        made.senses.add("name", text="title", encoder="hashing:64")
    return made


@pytest.mark.parametrize(
    ("query", "held"),
    [
        ("XJ-900", True),
        ("xj 900", True),
        ("what is the XJ-900", True),
        ("XJ-902", False),
        ("pump by Muller", True),  # in two fields of one item, without the accent
        ("copy", True),  # by the stem
        ("valve pump", False),  # in two items
        ("the", True),  # nothing but a word that says nothing, and an item holds it
        ("Where would", False),
        ("12.5/b", True),
        ("東京大学", True),
        ("京都", False),
        ('pump" AND "xj', True),
        ("pump OR rocket", False),
        ("pump NOT xj * ( {title} : ^", False),
        ("!?", False),
        ("", False),
        ("pump " * 500, True),
        (" ".join(f"word{n}" for n in range(100)), False),
    ],
)
def test_all_words_in_one_item(parts: Collection, query: str, held: bool) -> None:
    with Collection.open(parts.path) as opened, opened._space.reading() as state:
        assert holds_all_words(state, query, ["title", "note"]) is held


def test_words_are_looked_for_where_the_sense_reads_and_the_filter_allows(parts: Collection) -> None:
    with Collection.open(parts.path) as opened, opened._space.reading() as state:
        assert not holds_all_words(state, "Müller", ["title"])
        assert not holds_all_words(state, "pump", [])
        assert holds_all_words(state, "pump", ["title"], where=state.predicate("year = 2020"))
        assert not holds_all_words(state, "XJ-900", ["title"], where=state.predicate("year = 2020"))
        with pytest.raises(InputError, match="year"):
            holds_all_words(state, "2020", ["year"])


# -- with the encoder that is installed


@pytest.mark.skipif(not datasets.available("papers_ir"), reason="the papers are not here")
def test_papers(tmp_path: Path) -> None:
    records = [record for record, _ in zip(datasets.records("papers_ir"), range(300), strict=False)]
    rows = [{"title": record["title"], "start": record["abstract"][:200]} for record in records[:240]]
    with Collection.open(tmp_path / "papers", create=True) as papers:
        papers.add(rows, text=["title", "start"], encoder="minilm")
        found = known(papers)
        assert found.tells
        own = [found.presence(nearest(papers, str(record["title"])), 240) for record in records[240:]]
        strange = [found.presence(nearest(papers, query), 240) for query in STRANGE]
        assert np.mean([presence >= 0.5 for presence in own]) > 0.95
        assert np.mean([presence < 0.5 for presence in strange]) >= 0.9
