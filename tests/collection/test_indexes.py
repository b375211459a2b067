"""An index makes searches faster and nothing else: what is there is found, what is gone is not, and files follow."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from similia import Collection
from similia.collection import indexes, searcher
from similia.collection.searcher import Searcher
from similia.errors import InputError, UnknownSense
from similia.index import ExactIndex, kernels

pytestmark = pytest.mark.skipif(not kernels.usable(), reason="Numba is not there or switched off")

ROWS, D = 6_000, 24
RNG = np.random.default_rng(0)
CENTRES = RNG.normal(size=(30, D))
POINTS = (CENTRES[RNG.integers(30, size=ROWS + 2_000)] + 0.5 * RNG.normal(size=(ROWS + 2_000, D))).astype(np.float32)
QUERIES = (CENTRES[RNG.integers(30, size=40)] + 0.5 * RNG.normal(size=(40, D))).astype(np.float32)


def rows(start: int, stop: int) -> list[dict[str, object]]:
    return [{"id": str(n), "part": n % 10, "v": POINTS[n].tolist()} for n in range(start, stop)]


@pytest.fixture(scope="module")
def indexed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("indexed") / "points"
    with Collection.open(path, create=True) as opened:
        opened.add(rows(0, ROWS), key="id", vectors="v")
        opened.indexes.build(force=True, recall=0.9)
    return path


@pytest.fixture
def points(indexed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Collection]:
    for module in (searcher, indexes):
        monkeypatch.setattr(module, "SCANNED", 1_000)
    with Collection.open(indexed) as opened:
        opened.backup(tmp_path / "points")
    (tmp_path / "points" / "derived").mkdir(exist_ok=True)
    for file in (indexed / "derived").iterdir():
        (tmp_path / "points" / "derived" / file.name).write_bytes(file.read_bytes())
    with Collection.open(tmp_path / "points") as opened:
        yield opened


def base_of(collection: Collection) -> Searcher:
    with collection._space.reading() as state:
        return state.vectors(state.ready("topic")).parts[0].index


def warmed(collection: Collection, way: str) -> Searcher:
    """Searched until its vectors are searched in this way."""
    ends = time.monotonic() + 120
    while time.monotonic() < ends:
        collection.search(QUERIES[0], mode="dense")
        found = base_of(collection)
        if not found._busy and (found.engine.graph is not None) == (way == "graph"):
            return found
        time.sleep(0.05)
    raise AssertionError(f"no {way} after two minutes")


def share(collection: Collection, keys: list[str], recall: float | None = None, where: str | None = None) -> float:
    """The recall of ten places against comparing everything; nothing but these keys may be found."""
    positions = np.array([int(key) for key in keys])
    truth = ExactIndex(POINTS[positions]).search(QUERIES, 10)
    found = [collection.search(query, mode="dense", recall=recall, where=where).keys for query in QUERIES]
    assert all(key in set(keys) for one in found for key in one)
    return float(
        np.mean([np.isin(positions[ids], np.array(one, int)).mean() for ids, one in zip(truth.ids, found, strict=True)])
    )


def forced(collection: Collection) -> None:
    """Let every search walk the graph, cheap or not."""
    engine = base_of(collection).engine
    explain = engine.explain
    engine.explain = lambda *given, **named: explain(*given, **(named | {"way": "graph", "beam": 60}))  # type: ignore[method-assign]


def test_what_is_built_is_told(points: Collection) -> None:
    report = points.indexes["topic"]
    assert (report.built, report.current, report.items, report.recall) == (True, True, ROWS, 0.9)
    assert report.bytes == (points.path / "derived" / "index-1").stat().st_size
    assert report.plans is not None
    assert set(report.plans) == {what for what, *_ in indexes.CASES}
    assert "items that were taken out" in report.asked
    assert report.advice
    assert "6,000 items" in str(report)
    assert report.to_dict()["plans"]["one query"]["way"] in ("exact", "scan", "graph")
    assert points.indexes.explain(recall=1).way in ("exact", "scan")
    assert repr(points.indexes) == "Indexes(topic)"
    assert points.check().ok


def test_all_are_found_where_all_are_wanted(points: Collection) -> None:
    warmed(points, "graph")
    keys = [str(n) for n in range(ROWS)]
    assert share(points, keys, recall=1.0) == 1.0
    forced(points)
    assert share(points, keys) > 0.95
    assert share(points, [key for key in keys if int(key) % 10 < 5], where="part < 5") > 0.95


def test_rows_that_come_and_go(points: Collection) -> None:
    warmed(points, "graph")
    forced(points)
    points.add(rows(ROWS, ROWS + 100), key="id", vectors="v")
    points.delete(where="part = 3")
    keys = [str(n) for n in range(ROWS + 100) if n % 10 != 3]
    assert share(points, keys) > 0.95
    report = points.indexes["topic"]
    assert report.built
    later = points.indexes.build(recall=0.9)
    assert (later.built, later.current, later.items) == (True, True, len(keys))
    assert share(points, keys) > 0.9
    assert points.check().ok


def test_an_index_follows_a_table_that_was_written_anew(points: Collection) -> None:
    file = points.path / "derived" / "index-1"
    before = file.stat().st_ino
    points.add(
        [{**row, "v": POINTS[n + 50].tolist()} for n, row in enumerate(rows(0, 50))],
        on_duplicate="replace",
        vectors="v",
    )
    points.add(rows(ROWS, ROWS + 2_000), key="id", vectors="v")  # so many that the table is made anew
    assert not points.indexes["topic"].current
    warmed(points, "graph")
    assert file.stat().st_ino != before
    engine = base_of(points).engine
    assert engine.graph is not None
    assert len(engine.graph) == len(engine)
    forced(points)
    found = [points.search(POINTS[n + 50], mode="dense", k=2).keys for n in range(50)]
    assert all(str(n) in one for n, one in enumerate(found))  # replaced by the same vectors as n + 50 has
    assert np.mean([str(n + 50) in one for n, one in enumerate(found)]) > 0.9
    keys = [str(n) for n in range(50, ROWS + 2_000)]
    points.delete([str(n) for n in range(50)])
    assert share(points, keys) > 0.95


def test_what_another_process_does_is_noticed(points: Collection) -> None:
    warmed(points, "graph")
    with Collection.open(points.path) as other:
        assert other.indexes.drop()
        assert not other.indexes.drop()
        warmed(points, "scan")
        assert not points.indexes["topic"].built
        other.add(rows(ROWS, ROWS + 20), key="id", vectors="v")
        other.indexes.build(recall=0.99)  # writes the table anew, too
    found = warmed(points, "graph")
    assert found.recall == 0.99
    assert len(found.engine) == ROWS + 20


def test_a_damaged_index_is_not_used(points: Collection) -> None:
    file = points.path / "derived" / "index-1"
    whole = bytearray(file.read_bytes())
    whole[len(whole) // 2] ^= 1
    file.write_bytes(whole)
    assert not points.indexes["topic"].built
    assert not base_of(points).take_up()
    assert share(points, [str(n) for n in range(ROWS)]) == 1.0
    report = points.check()
    assert report.ok
    assert any("index-1" in one for one in report.mended)
    assert not file.exists()


def test_tuning_takes_queries(points: Collection) -> None:
    report = points.indexes.tune(queries=QUERIES, recall=0.99)
    assert (report.recall, report.asked) == (0.99, "40 given queries")
    again = points.indexes.build(recall=0.99)  # nothing to do
    assert again == report
    with pytest.raises(InputError, match="no encoder for text"):
        points.indexes.tune(queries=["a", "b", "c", "d"])
    with pytest.raises(InputError, match="at least 4"):
        points.indexes.tune(queries=QUERIES[:2])
    with pytest.raises(InputError, match="recall is 0"):
        points.indexes.tune(recall=0)
    with pytest.raises(UnknownSense):
        points.indexes.tune("tone")


def test_phrases_of_the_items_are_tuned_on(tmp_path: Path) -> None:
    words = ["cable", "phone", "tea", "leaf", "graph", "walk", "node", "rank", "fusion", "query"]
    items = [{"title": " ".join(RNG.choice(words, 5)), "n": n} for n in range(300)]
    with Collection.open(tmp_path / "c", create=True) as shelf:
        shelf.add(items, encoder="hashing", text="title")
        with pytest.raises(InputError, match="one pays from 50,000 on"):
            shelf.indexes.build()
        report = shelf.indexes.build(force=True)
        assert report.asked == "short phrases out of the items"
        assert (
            shelf.indexes.tune(queries=["cable tea", "graph walk", "rank", "fusion query"]).asked == "4 given queries"
        )
        with pytest.raises(InputError, match="one string"):
            shelf.indexes.tune(queries="cable tea")


def test_without_compiled_code(points: Collection) -> None:
    code = """if True:
        import sys
        from similia import Collection
        from similia.errors import InputError
        with Collection.open(sys.argv[1]) as points:
            print(len(points.search([1.0] * 24, mode="dense", k=5).keys))
            try:
                points.indexes.build(force=True)
            except InputError as error:
                print(error)"""
    environment = {**os.environ, "SIMILIA_KERNELS": "none"}
    done = subprocess.run(
        [sys.executable, "-c", code, str(points.path)], env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[0] == "5"
    assert "needs Numba" in done.stdout
