"""ScanIndex gives what ExactIndex gives: every id and every score, whatever the vectors are."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from similia.errors import InputError
from similia.index import ExactIndex, kernels
from similia.index import scan as module
from similia.index.scan import ScanIndex

METRICS = ["cosine", "dot", "l2"]
compiled = pytest.mark.skipif(not kernels.usable(), reason="no compiled code")


@pytest.fixture(autouse=True)
def _scan_few(monkeypatch):
    monkeypatch.setattr(module, "_LEAST", 1)
    monkeypatch.setattr(module, "_FEW", 1)


def texts(count: int, d: int, seed: int) -> np.ndarray:
    """Vectors with some directions that matter more than others, as those of texts have."""
    random = np.random.default_rng(seed)
    shape = np.random.default_rng(0).standard_normal((d, d)) * 0.95 ** np.arange(d)[:, None]
    return (random.standard_normal((count, d)) @ shape + 0.3).astype(np.float32)


def same(scan: ScanIndex, queries, k: int, **options) -> None:
    found, expected = scan.search(queries, k, **options), scan.exact.search(queries, k, where=options.get("where"))
    np.testing.assert_array_equal(found.ids, expected.ids)
    np.testing.assert_array_equal(found.scores, expected.scores)


def same_range(scan: ScanIndex, queries, threshold: float, where=None) -> None:
    found, expected = scan.range(queries, threshold, where), scan.exact.range(queries, threshold, where)
    for name in ("left", "right", "scores"):
        np.testing.assert_array_equal(getattr(found, name), getattr(expected, name))


def without_fallback(scan: ScanIndex, monkeypatch) -> None:
    def refuse(*_, **__):
        raise AssertionError("the bound proved too little")

    monkeypatch.setattr(scan.exact, "search", refuse)


@compiled
@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("d", [16, 64, 100, 384])
def test_the_bound_proves_real_searches(metric, d, monkeypatch):
    vectors, queries = texts(3000, d, 1), texts(50, d, 2)
    scan = ScanIndex(vectors, np.arange(3000) * 7, metric)
    expected = scan.exact.search(queries, 10)
    without_fallback(scan, monkeypatch)
    for threads in (1, 2, None):
        found = scan.search(queries, 10, threads=threads)
        np.testing.assert_array_equal(found.ids, expected.ids)
        np.testing.assert_array_equal(found.scores, expected.scores)
    for count in (1, 2, 5, 7, 9):
        found = scan.search(queries[:count], 10)
        np.testing.assert_array_equal(found.ids, expected.ids[:count])


components = st.sampled_from([0.0, 1.0, -1.0, 2.0, 0.5]) | st.floats(-3, 3, width=16)


@compiled
@pytest.mark.parametrize("metric", METRICS)
@settings(deadline=None, max_examples=40)
@given(data=st.data(), d=st.integers(1, 5), k=st.integers(1, 9))
def test_any_vectors(metric, data, d, k):
    items = data.draw(arrays(np.float32, (data.draw(st.integers(1, 40)), d), elements=components))
    queries = data.draw(arrays(np.float32, (data.draw(st.integers(0, 4)), d), elements=components))
    where = data.draw(st.none() | arrays(np.bool_, len(items)))
    scan = ScanIndex(items, metric=metric)
    same(scan, queries, k, where=where)
    same_range(scan, queries, data.draw(st.sampled_from([-2.0, -0.5, 0.0, 0.5, 1.0, np.inf, -np.inf])), where)


@compiled
@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize(
    "make",
    [
        lambda random: random.integers(0, 2, (900, 20)),  # many ties
        lambda random: np.repeat(random.standard_normal((9, 20)), 100, axis=0),  # duplicates
        lambda random: np.ones((900, 20)),
        lambda random: np.zeros((900, 20)),
        lambda random: random.standard_normal((900, 20)) * 1e17,
        lambda random: random.standard_normal((900, 20)) * 1e-20,
        lambda random: random.standard_normal((900, 20)) * 10.0 ** random.integers(-15, 15, (900, 1)),
        lambda random: random.standard_normal((900, 20)) + 1e4,  # far from the origin
        lambda random: np.eye(20)[random.integers(0, 20, 900)],
        lambda random: random.standard_normal((900, 1)),
    ],
    ids=["ties", "duplicates", "one", "zero", "huge", "tiny", "mixed", "far", "axes", "line"],
)
def test_awkward_vectors(metric, make):
    random = np.random.default_rng(3)
    vectors = make(random).astype(np.float32)
    scan = ScanIndex(vectors, metric=metric)
    d = vectors.shape[1]
    queries = np.concatenate([vectors[::100], random.standard_normal((3, d)), np.zeros((1, d))]).astype(np.float32)
    for k in (1, 10, 200, 1000):
        same(scan, queries, k)
    same(scan, queries, 5, where=random.random(len(vectors)) < 0.6)
    same(scan, queries, 5, where=random.random(len(vectors)) < 0.1)
    scores = scan.exact.search(queries, 5).scores
    for threshold in (float(scores[0, 4]), float(np.median(scores[:, 2]))):
        same_range(scan, queries, threshold)


@compiled
@pytest.mark.parametrize("metric", METRICS)
def test_filters(metric):
    vectors, queries = texts(2000, 40, 1), texts(20, 40, 2)
    scan = ScanIndex(vectors, metric=metric)
    random = np.random.default_rng(4)
    for share in (0.0, 0.002, 0.1, 0.5, 0.99, 1.0):
        where = random.random(2000) < share
        same(scan, queries, 10, where=where)
        same(scan, queries[:2], 10, where=where)
        same_range(scan, queries, float(scan.exact.search(queries, 10).scores.mean()), where)
    with pytest.raises(InputError, match="where"):
        scan.search(queries, 3, where=[True])


@compiled
@pytest.mark.parametrize("metric", METRICS)
def test_half_precision_and_memory_maps(metric, tmp_path):
    vectors, queries = texts(2000, 40, 1), texts(20, 40, 2)
    half = ScanIndex(vectors.astype(np.float16), metric=metric)
    assert half.exact.vectors.dtype == np.float16
    same(half, queries, 10)
    same_range(half, queries, float(half.exact.search(queries, 10).scores.mean()))
    np.save(tmp_path / "vectors.npy", vectors)
    mapped = ScanIndex(np.load(tmp_path / "vectors.npy", mmap_mode="r"), metric=metric)
    assert isinstance(mapped.exact.vectors, np.memmap)
    same(mapped, queries, 10)


@compiled
def test_ranges_of_many_pairs(monkeypatch):
    monkeypatch.setattr(module, "_FOUND", 200)
    vectors = texts(1500, 32, 1)
    scan = ScanIndex(vectors)
    same_range(scan, vectors[:300], 0.2)
    with pytest.raises(InputError, match="more than 100 pairs"):
        scan.range(vectors, 0.2, limit=100)


@compiled
def test_candidates_that_do_not_fit_are_looked_at_again_or_left_to_exact_search(monkeypatch):
    monkeypatch.setattr(module, "_SPACE", 16)
    random = np.random.default_rng(5)
    vectors = random.standard_normal(64) + 0.02 * random.standard_normal((3000, 64))
    scan = ScanIndex(vectors.astype(np.float32))
    same(scan, vectors[:40].astype(np.float32), 3)
    monkeypatch.setattr(module, "_WIDER", 1000)
    same(scan, vectors[:40].astype(np.float32), 3)


def test_what_cannot_be_searched_is_refused():
    scan = ScanIndex(texts(100, 8, 1))
    for options in ({"k": 0}, {"k": 1, "threads": 0}, {"k": 1, "threads": 1.5}):
        with pytest.raises(InputError):
            scan.search(np.ones(8), **options)
    with pytest.raises(InputError):
        scan.search(np.ones(7), 1)
    with pytest.raises(InputError):
        scan.range(np.ones(8), np.nan)
    assert len(ScanIndex(np.empty((0, 3)))) == 0
    assert ScanIndex(np.empty((0, 3))).search([1, 2, 3], 2).ids.tolist() == [[-1, -1]]


@compiled
def test_what_it_tells_about_itself():
    scan = ScanIndex(texts(640, 32, 1))
    assert (len(scan), scan.dimension) == (640, 32)
    assert scan.codes.dtype == np.uint8
    assert scan.nbytes / 640 <= 32 + 24


def test_exact_index_is_what_answers_without_codes(monkeypatch):
    monkeypatch.setattr(kernels, "usable", lambda: False)
    scan = ScanIndex(texts(100, 8, 1))
    assert scan.codes is None
    same(scan, texts(3, 8, 2), 4)
    assert isinstance(scan.exact, ExactIndex)
