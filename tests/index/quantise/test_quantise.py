"""Scalar, LVQ and binary codes against their definitions; what a scan reads, and the bounds that it relies on."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from similia.errors import InputError
from similia.index import kernels
from similia.index.quantise import binary, lvq, scalar
from similia.index.quantise.blocks import neighbours, pack, rows_of, table_of
from similia.index.quantise.coded import Coded
from similia.index.quantise.split import fit
from similia.measure.vectors import norms

values = st.sampled_from([0.0, 1.0, -1.0]) | st.floats(-1e3, 1e3, width=32)
matrices = st.tuples(st.integers(1, 6), st.integers(1, 9)).flatmap(lambda s: arrays(np.float32, s, elements=values))
shapes = {"deadline": None, "max_examples": 60}


@settings(**shapes)
@given(vectors=matrices)
def test_scalar_codes_are_within_half_a_step(vectors):
    step = scalar.step_of(vectors)
    codes = scalar.encode(vectors, step)
    off = np.abs(scalar.decode(codes, step).astype(np.float64) - vectors)
    assert off.max() <= step / 2 * 1.0001 + 1e-30
    assert (codes[vectors == 0] == scalar.ZERO).all()
    query_codes, steps = scalar.encode_queries(vectors)
    wrong = np.abs(query_codes * steps[:, None].astype(np.float64) - vectors)
    assert (wrong <= steps[:, None] / 2 * 1.0001 + 1e-30).all()
    products = scalar.decode(codes, step).astype(np.float64) @ (query_codes * steps[:, None].astype(np.float64)).T
    assert np.allclose(scalar.scores(codes, step, query_codes, steps), products.T, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("bits", [4, 8])
@pytest.mark.parametrize("rest", [None, 4, 8])
@settings(**shapes)
@given(vectors=matrices)
def test_lvq_is_within_half_a_step_and_scores_as_it_decodes(bits, rest, vectors):
    coded = lvq.encode(vectors, bits, rest)
    first = coded.step.astype(np.float64)[:, None]
    size = np.abs(vectors).max() * 1e-6 + 1e-30  # of rounding to float32
    assert (np.abs(coded.decode(both=False) - vectors) <= first / 2 * 1.0001 + size).all()
    finest = first / (2**rest - 1) if rest else first
    assert (np.abs(coded.decode() - vectors) <= finest / 2 * 1.0001 + size).all()
    scale = np.abs(vectors).max() ** 2 * vectors.shape[1]
    expected = vectors.astype(np.float64) @ coded.decode().astype(np.float64).T
    assert np.allclose(coded.scores(vectors), expected, rtol=1e-5, atol=1e-5 * scale + 1e-30)
    values_a_byte = 2 if bits == 4 else 1
    assert coded.codes.shape == (len(vectors), -(-vectors.shape[1] // values_a_byte))


def test_lvq_of_constant_and_zero_vectors():
    coded = lvq.encode([[3.0, 3.0], [0.0, 0.0]], 4, mean=[0.0, 0.0])
    assert coded.step.tolist() == [0, 0]
    assert coded.decode().tolist() == [[3, 3], [0, 0]]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: lvq.encode([[np.nan, 1]], 8), "NaN"),
        (lambda: lvq.encode([[1.0, 1]], 5), "bits are 5"),
        (lambda: lvq.encode([[1.0, 1]], 8, mean=[1.0]), "mean"),
        (lambda: lvq.encode(np.empty((2, 0)), 8), "0 dimensions"),
        (lambda: scalar.step_of(np.array([[np.inf]], np.float32)), "NaN or infinity"),
        (lambda: scalar.encode(np.array([[np.nan]], np.float32), 1.0), "NaN or infinity"),
        (lambda: scalar.encode_queries(np.array([[np.nan]], np.float32)), "NaN or infinity"),
        (lambda: binary.encode([[np.nan]]), "NaN"),
        (lambda: binary.distances(np.zeros((1, 8), np.uint8), np.zeros((1, 16), np.uint8)), "queries"),
    ],
)
def test_what_has_no_code_is_refused(call, message):
    with pytest.raises(InputError, match=message):
        call()


@settings(**shapes)
@given(vectors=matrices)
def test_binary_codes_are_signs_and_distances_count_them(vectors):
    codes = binary.encode(vectors)
    bits = np.unpackbits(codes, axis=1)
    assert codes.shape[1] % 8 == 0
    assert (bits[:, : vectors.shape[1]] == (vectors > 0)).all()
    assert not bits[:, vectors.shape[1] :].any()
    expected = (bits[:, None] != bits[None]).sum(axis=2)
    assert (binary.distances(codes, codes) == expected).all()


@pytest.mark.skipif(not kernels.usable(), reason="no compiled code")
@pytest.mark.parametrize("size", [8, 48, 64])
def test_the_compiled_distances_are_those_of_numpy(size):
    codes = np.random.default_rng(size).integers(0, 256, (5000, size), dtype=np.uint8)
    assert (binary.distances(codes[:5], codes) == binary.differing(codes[:5], codes)).all()


def test_packed_codes_come_back():
    codes = np.random.default_rng(0).integers(0, 256, (70, 32), dtype=np.uint8)
    order = np.random.default_rng(1).permutation(70)
    empty = np.empty((70, 0), np.uint8)
    table = table_of(codes, empty, np.arange(70, dtype=np.float32), np.zeros(70, np.float32), order)
    assert table.heads.shape == (8, 16 * 32)
    assert table.heads.ctypes.data % 64 == 0
    assert (rows_of(table.heads, np.arange(70)) == codes[order]).all()
    assert (table.base[:70] == order).all()
    assert (table.base[70:] == -np.inf).all()
    assert pack(codes[:16]).reshape(8, 16, 4)[3, 5].tolist() == codes[5, 12:16].tolist()
    passing = np.arange(70) % 3 == 0
    small = table.gathered(passing)
    found = small.order[small.base > -np.inf]
    assert sorted(found.tolist()) == np.flatnonzero(passing).tolist()
    assert (rows_of(small.heads, np.arange(len(found))) == codes[found]).all()
    hidden = table.hiding(passing)
    assert sorted(hidden.order[hidden.base > -np.inf].tolist()) == np.flatnonzero(passing).tolist()


@pytest.mark.parametrize("count", [0, 1, 15, 16, 17, 63, 64, 65, 1000])
def test_the_order_of_neighbours_is_a_permutation(count):
    rows = np.random.default_rng(2).standard_normal((count, 3)).astype(np.float32)
    order = neighbours(rows, 0)
    assert sorted(order.tolist()) == list(range(count))
    assert (order == neighbours(rows, 0)).all()


def clustered(count: int, d: int, seed: int = 0) -> np.ndarray:
    random = np.random.default_rng(seed)
    shape = random.standard_normal((d, d)) * 0.8 ** np.arange(d)[:, None]
    centres = random.standard_normal((20, d)) @ shape
    return (centres[random.integers(0, 20, count)] + random.standard_normal((count, d)) @ shape).astype(np.float32)


def test_a_rotation_keeps_inner_products_within_its_error():
    vectors = clustered(2000, 64)
    vectors /= norms(vectors)[:, None].astype(np.float32)
    rotation = fit(vectors, 2000, 0)
    assert 0 < rotation.head < 64
    turned = rotation.apply(vectors[:100]).astype(np.float64)
    wide = vectors[:100].astype(np.float64)
    assert np.abs(turned @ turned.T - wide @ wide.T).max() <= rotation.error


@pytest.mark.parametrize("metric", ["cosine", "dot", "l2"])
@pytest.mark.parametrize("d", [1, 5, 64])
def test_the_bound_on_the_error_of_a_scan_holds(metric, d):
    vectors = clustered(600, d) + 3
    vectors[7] = 0
    lengths = norms(vectors)
    coded = Coded(vectors, lengths, metric)
    queries = np.concatenate([vectors[:20], clustered(20, d, seed=1), np.zeros((1, d), np.float32)])
    of = coded.queries(queries, norms(queries))
    table, head, tail = coded.table, of.terms[0], of.terms[1]

    def part(packed, codes, terms):
        rows = rows_of(packed, np.arange(len(table.order))).astype(np.int64)
        products = codes[: len(queries)].astype(np.int64) @ rows.T - terms[: len(queries), 3:].view(np.int32)
        return products * terms[: len(queries), :1].astype(np.float64)

    heads = part(table.heads, of.codes[0], head) + table.base
    scores = heads + part(table.tails, of.codes[1], tail)
    exact = queries.astype(np.float64) @ vectors.astype(np.float64).T
    if metric == "cosine":
        exact /= np.maximum(norms(queries)[:, None] * lengths, 1e-30)
    elif metric == "l2":
        exact = -(((queries[:, None].astype(np.float64) - vectors[None]) ** 2).sum(axis=2))
    expected = of.scaled[:, :1] * exact + of.scaled[:, 1:]
    real = table.base > -np.inf
    expected = expected[:, table.order[real]]
    fit_for_scan = ~of.unfit
    assert of.unfit.tolist() == [metric != "l2" and not q.any() for q in queries]
    wrong = np.abs(scores[:, real] - expected)
    assert (wrong <= of.slack[:, None])[fit_for_scan].all()
    bound = heads[:, real] + head[: len(queries), 1:2] * table.rest[real] + of.head_slack[:, None]
    assert (expected <= bound)[fit_for_scan].all()
