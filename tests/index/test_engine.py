"""The engine: all its ways agree with comparing everything, as far as they promise."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap

import numpy as np
import pytest

from similia.errors import InputError, StorageError
from similia.index import ExactIndex
from similia.index.engine import Engine
from similia.index.planning import Costs, Step

COUNT = 5_000


@pytest.fixture(scope="module")
def vectors():
    rng = np.random.default_rng(0)
    centres = rng.normal(size=(50, 48))
    points = centres[rng.integers(50, size=COUNT)] + 0.6 * rng.normal(size=(COUNT, 48))
    return points.astype(np.float32)


@pytest.fixture(scope="module")
def engine(vectors):
    return Engine(vectors, ids=np.arange(COUNT) * 3 + 7).tune(graph=True)


@pytest.fixture(scope="module")
def queries(vectors):
    rng = np.random.default_rng(1)
    return (vectors[rng.integers(COUNT, size=60)] + 0.3 * rng.normal(size=(60, 48))).astype(np.float32)


def share_found(found, truth):
    return np.mean([np.isin(one, other).mean() for one, other in zip(truth.ids, found.ids, strict=True)])


@pytest.mark.parametrize("share", [None, 0.5, 0.05, 0.001, 0.0])
def test_every_way_keeps_its_promise(engine, vectors, queries, share):
    where = None if share is None else np.random.default_rng(2).random(COUNT) < share
    truth = ExactIndex(vectors, engine.exact.ids).search(queries, 10, where=where)
    for way in ("exact", "scan"):
        found = engine.search(queries, 10, where=where, way=way)
        np.testing.assert_array_equal(found.ids, truth.ids)
        np.testing.assert_array_equal(found.scores, truth.scores)
    walked = engine.search(queries, 10, where=where, way="graph", beam=100)
    np.testing.assert_array_equal((walked.ids >= 0).sum(axis=1), (truth.ids >= 0).sum(axis=1))
    assert where is None or np.isin(walked.ids, [-1, *engine.exact.ids[where]]).all()
    assert share_found(walked, truth) > 0.95
    chosen = engine.search(queries, 10, where=where, recall=0.95)
    assert share_found(chosen, truth) > 0.9


def test_codes_and_links_take_less_than_the_vectors(engine, vectors):
    assert 0 < engine.graph.nbytes < 3 * vectors.nbytes  # 48 dimensions are few beside 32 links
    assert engine.scan.nbytes < vectors.nbytes


def test_a_recall_of_one_is_exact(engine, vectors, queries):
    assert engine.explain(10, queries=60, recall=1).way in ("exact", "scan")
    truth = ExactIndex(vectors, engine.exact.ids).search(queries, 10)
    np.testing.assert_array_equal(engine.search(queries, 10, recall=1).ids, truth.ids)


def test_what_was_measured_is_said(engine):
    assert engine.costs is not None
    assert engine.costs.scan is None  # too few items for it to pay
    assert {step.share for step in engine.costs.steps} == {1.0, 0.5, 0.2, 0.1}
    assert all(0 <= step.recall <= 1 and step.single > 0 and step.batch > 0 for step in engine.costs.steps)
    assert len(engine.graph) == COUNT  # queries were taken out of a copy
    assert all(found > 0.85 for found in engine.reached.values())
    assert "recall" in str(engine.explain(10))


def test_the_plan_is_what_is_searched(engine, queries, monkeypatch):
    cheap = Costs(exact=(1.0, 1.0), gathered=(1.0, 1.0), steps=(Step(10, 1.0, 77, 0.99, 1e-9, 1e-9),))
    monkeypatch.setattr(engine, "costs", cheap)
    asked = []
    real = engine.graph.search
    monkeypatch.setattr(engine.graph, "search", lambda *a, **b: (asked.append(b["beam"]), real(*a, **b))[1])
    engine.search(queries, 10)
    assert asked == [77]


def test_given_queries_are_tuned_on(vectors, queries):
    tuned = Engine(vectors).tune(queries, graph=True)
    assert tuned.costs is not None
    assert tuned.costs.about.startswith("30 queries")


def test_saved_and_loaded(engine, queries, tmp_path):
    engine.save(tmp_path / "index")
    loaded = Engine.load(tmp_path / "index")
    assert (len(loaded), loaded.metric, loaded.costs, loaded.reached, loaded.ways) == (
        len(engine),
        engine.metric,
        engine.costs,
        engine.reached,
        engine.ways,
    )
    for way in ("exact", "graph"):
        np.testing.assert_array_equal(loaded.search(queries, 10, way=way).ids, engine.search(queries, 10, way=way).ids)
    assert loaded.graph is not None
    loaded.graph.remove([7])  # what is mapped is copied before it is changed
    assert 7 not in loaded.search(queries, COUNT, way="graph").ids
    again = Engine.load(tmp_path / "index")
    assert 7 in again.search(queries, COUNT, way="graph").ids


def test_a_damaged_or_foreign_file_is_refused(engine, tmp_path):
    with pytest.raises(StorageError, match="make it again"):
        Engine.load(tmp_path)
    engine.save(tmp_path)
    whole = (tmp_path / "index").read_bytes()
    for place in (20, 5_000, len(whole) // 2, len(whole) - 1):
        changed = bytearray(whole)
        changed[place] ^= 4
        (tmp_path / "index").write_bytes(changed)
        with pytest.raises(StorageError, match="make it again"):
            Engine.load(tmp_path)
    (tmp_path / "index").write_bytes(whole[:-10])
    with pytest.raises(StorageError, match="make it again"):
        Engine.load(tmp_path)


@pytest.mark.parametrize("metric", ["cosine", "dot", "l2"])
def test_small_ones_compare_every_vector(metric):
    rng = np.random.default_rng(3)
    vectors, queries = rng.normal(size=(90, 5)), rng.normal(size=(7, 5))
    engine = Engine(vectors, metric=metric).tune()
    assert engine.graph is None
    assert engine.explain(10).way == "exact"
    truth = ExactIndex(vectors, metric=metric)
    np.testing.assert_array_equal(engine.search(queries, 10).ids, truth.search(queries, 10).ids)
    np.testing.assert_array_equal(engine.range(queries, 0.3).right, truth.range(queries, 0.3).right)


def test_wrong_use(vectors, queries):
    engine = Engine(vectors)
    with pytest.raises(InputError, match="tune"):
        engine.search(queries, 10, way="graph")
    with pytest.raises(InputError, match="unknown"):
        engine.search(queries, 10, way="tree")
    with pytest.raises(InputError, match="recall"):
        engine.search(queries, 10, recall=0)
    with pytest.raises(InputError, match="too few"):
        Engine(vectors[:30]).tune()
    with pytest.raises(InputError, match="too few"):
        engine.tune(queries[:2])
    with pytest.raises(InputError, match="NaN"):
        engine.tune(np.full((9, 48), np.nan))


def test_without_compiled_code_nothing_is_lost(tmp_path, engine, queries):
    engine.save(tmp_path)
    np.save(tmp_path / "queries.npy", queries)
    script = """
        import sys
        import numpy as np
        from similia.errors import InputError
        from similia.index.engine import Engine
        engine = Engine.load(sys.argv[1])
        assert engine.ways == ("exact",)
        try:
            engine.search([[1.0] * 48], 1, way="scan")
        except InputError:
            pass
        else:
            raise SystemExit("scanned")
        print(engine.search(np.load(sys.argv[1] + "/queries.npy"), 10).ids.ravel().tolist())
        assert "numba" not in sys.modules
    """
    environment = {**os.environ, "SIMILIA_KERNELS": "none"}
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script), str(tmp_path)], capture_output=True, text=True, env=environment
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == str(engine.search(queries, 10, way="exact").ids.ravel().tolist())
