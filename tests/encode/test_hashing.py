from __future__ import annotations

import json
import math
import subprocess
import sys
import unicodedata
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from similia.encode import load
from similia.encode.hashing import BASE, GRAM_WEIGHT, GRAMS, HASH_BITS, MARK, HashingEncoder
from similia.errors import InputError, ModelError

WRAP = (1 << 64) - 1


def mix(value: int) -> int:
    value = ((value ^ (value >> 30)) * 0xBF58476D1CE4E5B9) & WRAP
    value = ((value ^ (value >> 27)) * 0x94D049BB133111EB) & WRAP
    return value ^ (value >> 31)


def polynomial(symbols: list[int]) -> int:
    return sum(mix(symbol) * pow(BASE, place, 1 << 64) for place, symbol in enumerate(symbols)) & WRAP


def naive(text: str, dimension: int) -> np.ndarray:
    """The definition, one character at a time."""
    words, current = [], ""
    for character in unicodedata.normalize("NFKC", text).casefold() + " ":
        if character.isalnum() or unicodedata.category(character).startswith("M"):
            current += character
        elif current:
            words.append([ord(each) for each in current])
            current = ""
    vector = np.zeros(dimension)
    counters = [(Counter(mix(polynomial(word)) for word in words), 1.0)]
    for size in GRAMS:
        grams = Counter()
        for word in words:
            marked = [MARK, *word, MARK]
            for start in range(len(marked) - size + 1):
                grams[mix((polynomial(marked[start : start + size]) + size) & WRAP)] += 1
        counters.append((grams, GRAM_WEIGHT))
    for counter, weight in counters:
        for key, times in counter.items():
            feature = key >> (64 - HASH_BITS)
            vector[(feature >> 1) % dimension] += (1 if feature & 1 else -1) * weight * (1 + math.log(times))
    length = np.linalg.norm(vector)
    return vector / length if length else vector


@settings(max_examples=60, deadline=None)
@given(st.lists(st.text(max_size=40), max_size=6), st.sampled_from([8, 33, 512]))
def test_vectors_are_the_definition_s(texts, dimension):
    texts = [text.encode("utf-8", "replace").decode() for text in texts]
    vectors = HashingEncoder(dimension).encode(texts).vectors
    assert vectors.shape == (len(texts), dimension)
    for vector, text in zip(vectors, texts, strict=True):
        np.testing.assert_allclose(vector, naive(text, dimension), atol=1e-5)


def test_blocks_do_not_change_a_vector(monkeypatch):
    texts = ["a red cat", "", "dogs " * 30, "ein Straßenfest", "नमस्ते दुनिया", "x"] * 5
    whole = HashingEncoder(64).encode(texts).vectors
    monkeypatch.setattr("similia.encode.hashing.BLOCK", 20)
    np.testing.assert_array_equal(HashingEncoder(64).encode(texts).vectors, whole)


def test_every_process_makes_the_same_vectors():
    code = """
import json
from similia.encode import load
print(json.dumps(load("hashing:32").encode(["a cat, ü!"]).vectors.tolist()))
"""
    runs = [
        subprocess.run(
            [sys.executable, "-c", code], env={"PYTHONHASHSEED": seed}, capture_output=True, text=True, check=True
        ).stdout
        for seed in ("1", "2")
    ]
    assert runs[0] == runs[1]
    np.testing.assert_array_equal(np.float32(json.loads(runs[0])), load("hashing:32").encode(["a cat, ü!"]).vectors)


def test_lengths_are_one_or_zero():
    vectors = load("hashing").encode(["word", "", " \t\n", "!?", "🤖", "0", "\x00", "\ud800"]).vectors
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), [1, 0, 0, 0, 0, 1, 0, 0], atol=1e-6)


def test_misspelt_words_are_nearer_than_others():
    right, wrong, other = load("hashing").encode(["similarity", "similarty", "carburettor"]).vectors
    assert right @ wrong > 0.4 > 0.2 > abs(right @ other)


def test_a_megabyte_is_encoded():
    vectors = load("hashing:64").encode(["lorem ipsum " * 90_000, "lorem ipsum"]).vectors
    assert vectors[0] @ vectors[1] > 0.99


@pytest.mark.parametrize("spec", ["hashing:", "hashing:x", "hashing:0", "hashing:-8", "hashing:99999999", "hashing:٣٣"])
def test_a_wrong_number_of_dimensions_is_refused(spec):
    with pytest.raises(ModelError, match="8 to 65536"):
        load(spec)
    with pytest.raises(InputError):
        HashingEncoder(7)


def test_fingerprints_tell_dimensions_apart():
    assert load("hashing:64").fingerprint != load("hashing:128").fingerprint
    assert load("hashing").fingerprint == load("hashing:512").fingerprint
