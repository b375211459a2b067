"""Fixed dimensional encodings against a plain loop over the definition, and against what the theory says."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from similia.errors import InputError
from similia.index.multivector import FixedDimensionalEncoder, fde
from similia.measure import normalise
from similia.measure.multivectors import chamfer
from similia.types import MultiVector, ragged


def made(lengths: list[int], d: int, seed: int) -> MultiVector:
    random = np.random.default_rng(seed)
    return ragged([normalise(random.normal(size=(n, d))) if n else [] for n in lengths], d)


def by_hand(encoder: FixedDimensionalEncoder, tokens: np.ndarray, *, query: bool) -> np.ndarray:
    """One set, bucket by bucket."""
    out = np.zeros((encoder.repetitions, encoder.buckets, encoder.inner))
    centre = np.zeros(encoder.dimension) if encoder.centre is None else encoder.centre
    for r in range(encoder.repetitions):
        inner = tokens if encoder._signs is None else tokens @ encoder._signs[:, r]
        bits = ((tokens - centre) @ encoder._planes[:, r]) > 0
        for bucket in range(encoder.buckets):
            wanted = np.array([bool(bucket >> b & 1) for b in range(encoder.bits)], bool)
            differ = (bits != wanted).sum(axis=1)
            inside = differ == 0
            if inside.any():
                out[r, bucket] = inner[inside].sum(axis=0) if query else inner[inside].mean(axis=0)
            elif encoder.fill and not query and len(tokens):
                out[r, bucket] = inner[differ.argmin()]
    flat = out.ravel() / (encoder.repetitions if query else 1)
    if encoder.final is None:
        return flat
    folded = np.zeros(encoder.final)
    for position, value in enumerate(flat):
        folded[encoder._slots[position]] += value * encoder._slot_signs[position]
    return folded


@pytest.mark.parametrize("values", [1, 64, 10**6])
@settings(deadline=None, max_examples=25)
@given(
    lengths=st.lists(st.integers(0, 6), max_size=6),
    bits=st.integers(0, 4),
    inner=st.sampled_from([None, 2, 3]),
    fill=st.booleans(),
    final=st.sampled_from([None, 5, 40]),
    centred=st.booleans(),
    seed=st.integers(0, 50),
)
def test_the_definition(values, lengths, bits, inner, fill, final, centred, seed) -> None:
    sets = made(lengths, 5, seed)
    centre = np.full(5, 0.2) if centred else None
    encoder = FixedDimensionalEncoder(
        5, repetitions=3, bits=bits, inner=inner, fill=fill, final=final, centre=centre, seed=seed
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fde, "_VALUES", values)
        for query, found in ((False, encoder.encode_items(sets)), (True, encoder.encode_queries(sets))):
            expected = [by_hand(encoder, part, query=query) for part in sets]
            np.testing.assert_allclose(found, np.reshape(expected, found.shape), atol=1e-5)


def test_one_vector_an_item_and_filling_is_chamfer_exactly() -> None:
    queries, items = made([3, 1, 5, 2], 6, 0), made([1] * 9, 6, 1)
    encoder = FixedDimensionalEncoder(6, repetitions=4, bits=5, inner=None, fill=True)
    estimate = encoder.encode_queries(queries) @ encoder.encode_items(items).T
    np.testing.assert_allclose(estimate, chamfer(queries, items), atol=1e-5)


def test_one_vector_an_item_without_filling_counts_what_meets_it() -> None:
    queries, items = made([4, 2], 6, 0), made([1] * 9, 6, 1)
    encoder = FixedDimensionalEncoder(6, repetitions=1, bits=2, inner=None, fill=False)
    estimate = encoder.encode_queries(queries) @ encoder.encode_items(items).T

    def bucket(rows: np.ndarray) -> np.ndarray:
        return (rows @ encoder._planes[:, 0] > 0) @ (1 << np.arange(2))

    for i, query in enumerate(queries):
        for j, item in enumerate(items):
            meets = bucket(query) == bucket(item)[0]
            assert estimate[i, j] == pytest.approx(float((query[meets] @ item[0]).sum()), abs=1e-5)


def test_more_repetitions_come_closer() -> None:
    queries, items = made([8] * 20, 16, 0), made([30] * 40, 16, 1)
    truth = chamfer(queries, items)

    def correlation(repetitions: int) -> float:
        encoder = FixedDimensionalEncoder(16, repetitions=repetitions, bits=4, inner=8)
        estimate = encoder.encode_queries(queries) @ encoder.encode_items(items).T
        return float(np.corrcoef(estimate.ravel(), truth.ravel())[0, 1])

    few, many = correlation(1), correlation(40)
    assert many > few + 0.1
    assert many > 0.4


def test_same_seed_same_encoding_and_a_fingerprint_for_the_rest() -> None:
    sets = made([3, 2], 6, 0)
    one, same, other = (FixedDimensionalEncoder(6, final=32, seed=s) for s in (1, 1, 2))
    np.testing.assert_array_equal(one.encode_items(sets), same.encode_items(sets))
    assert one.fingerprint == same.fingerprint
    prints = {
        one.fingerprint,
        other.fingerprint,
        FixedDimensionalEncoder(6, final=32, seed=1, fill=True).fingerprint,
        FixedDimensionalEncoder(6, final=32, seed=1, centre=np.ones(6)).fingerprint,
    }
    assert len(prints) == 4
    assert one.encode_items(sets).shape == (2, one.length) == (2, 32)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"bits": 31}, "bits is 31"),
        ({"bits": 3.0}, "bits is 3.0"),
        ({"repetitions": 0}, "repetitions is 0"),
        ({"inner": 0}, "inner is 0"),
        ({"final": 0}, "final is 0"),
        ({"bits": 30}, "take fewer bits"),
        ({"centre": [1, 2]}, "6 are needed"),
    ],
)
def test_numbers_out_of_range_are_refused(arguments, words) -> None:
    with pytest.raises(InputError, match=words):
        FixedDimensionalEncoder(6, **arguments)


def test_another_dimension_is_refused() -> None:
    with pytest.raises(InputError, match="6 are needed"):
        FixedDimensionalEncoder(6).encode_items(made([2], 5, 0))
