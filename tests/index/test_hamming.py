"""Hamming search against unpacked bits."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from similia.errors import InputError
from similia.index import hamming as module
from similia.index.hamming import HammingIndex
from similia.types import Codes


def distances(queries: np.ndarray, codes: np.ndarray) -> np.ndarray:
    left, right = np.unpackbits(queries, axis=1), np.unpackbits(codes, axis=1)
    return (left[:, None] != right[None]).sum(axis=2)


@st.composite
def cases(draw):
    width = draw(st.integers(1, 18))
    few = st.sampled_from([0, 1, 3, 255, 128])
    codes = draw(st.integers(0, 20).flatmap(lambda n: arrays(np.uint8, (n, width), elements=few)))
    queries = draw(st.integers(0, 4).flatmap(lambda n: arrays(np.uint8, (n, width), elements=few)))
    return codes, queries, draw(st.none() | arrays(np.bool_, len(codes)))


@settings(deadline=None, max_examples=100)
@given(case=cases(), k=st.integers(1, 22), tight=st.booleans())
def test_search_is_the_definition(case, k, tight) -> None:
    codes, queries, where = case
    ids = np.arange(len(codes)) * 3 + 1
    with pytest.MonkeyPatch.context() as patch:
        if tight:
            patch.setattr(module, "_ITEMS", 3)
            patch.setattr(module, "_SCORES", 5)
        hits = HammingIndex(Codes(codes), ids).search(queries, k, where=where)
    assert hits.ids.shape == (len(queries), k)
    for row, own in enumerate(distances(queries, codes)):
        order = [j for j in np.argsort(own, kind="stable") if where is None or where[j]][:k]
        assert hits.ids[row].tolist() == [ids[j] for j in order] + [-1] * (k - len(order))
        assert hits.scores[row].tolist() == [-own[j] for j in order] + [-np.inf] * (k - len(order))


def within(codes: np.ndarray, queries: np.ndarray, radius: int, where) -> list[tuple[int, int, int]]:
    found = []
    for i, own in enumerate(distances(queries, codes)):
        order = np.argsort(own, kind="stable")
        found += [(i, int(j), -int(own[j])) for j in order if own[j] <= radius and (where is None or where[j])]
    return found


def rows(pairs) -> list[tuple[int, int, int]]:
    return list(zip(pairs.left.tolist(), pairs.right.tolist(), pairs.scores.astype(int).tolist(), strict=True))


@settings(deadline=None, max_examples=60)
@given(case=cases(), radius=st.integers(0, 40))
def test_range_is_the_definition(case, radius) -> None:
    codes, queries, where = case
    assert rows(HammingIndex(codes).range(queries, radius, where)) == within(codes, queries, radius, where)


@pytest.mark.parametrize("width", [1, 2, 3, 8, 32])
@pytest.mark.parametrize("filtered", [False, True])
def test_buckets_find_what_a_scan_finds(width: int, filtered: bool, monkeypatch) -> None:
    random = np.random.default_rng(width)
    codes = random.integers(0, 256, (3_000, width), dtype=np.uint8)
    queries = codes[:40].copy()
    for row in range(40):
        for _ in range(row % 6):  # a few bits away from a code
            queries[row, random.integers(width)] ^= np.uint8(1 << random.integers(8))
    where = random.random(3_000) < 0.7 if filtered else None
    monkeypatch.setattr(module, "_WORTH", 0.0001)
    index = HammingIndex(codes)
    used = 0
    for radius in (0, 1, 2, 3, 7, 16, 40):
        used += index._near(queries, radius) is not None
        assert rows(index.range(queries, radius, where)) == within(codes, queries, radius, where)
    assert used >= 3


def test_wide_codes_at_a_small_radius_are_looked_up() -> None:
    codes = np.random.default_rng(0).integers(0, 256, (20_000, 8), dtype=np.uint8)
    index = HammingIndex(codes)
    assert index._near(codes[:5], 7) is not None
    assert index._near(codes[:5], 30) is None
    assert rows(index.range(codes[:5], 7)) == within(codes, codes[:5], 7, None)
    same = HammingIndex(np.zeros((20_000, 8), np.uint8))  # one bucket holds all
    assert same._near(codes[:5], 3) is not None
    assert same._near(np.zeros((5, 8), np.uint8), 3) is None


@given(words=arrays(np.uint64, 5))
def test_bits_are_counted_without_numpy_2(words) -> None:
    expected = [int(word).bit_count() for word in words]
    assert module._counted(words).tolist() == expected
    assert module.bit_count(words).tolist() == expected


def test_what_cannot_be_is_refused() -> None:
    index = HammingIndex(np.zeros((3, 2), np.uint8))
    for call, words in (
        (lambda: HammingIndex(np.zeros((3, 2))), "uint8"),
        (lambda: HammingIndex(np.zeros((3, 0), np.uint8)), "0 bytes"),
        (lambda: HammingIndex(np.zeros((3, 2), np.uint8), [1, 2]), "ids"),
        (lambda: index.search(np.zeros((1, 3), np.uint8), 1), "3 bytes"),
        (lambda: index.search(np.zeros((1, 2), np.uint8), 0), "k is 0"),
        (lambda: index.search(np.zeros((1, 2), np.uint8), 1, where=[True]), "where is"),
        (lambda: index.range(np.zeros((1, 2), np.uint8), -1), "radius is -1"),
        (lambda: index.range(np.zeros((2, 2), np.uint8), 3, limit=5), "more than 5 pairs"),
    ):
        with pytest.raises(InputError, match=words):
            call()
