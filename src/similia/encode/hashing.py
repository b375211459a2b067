"""Hashed words and character n-grams: vectors without a model, in no time.

Weinberger et al. 2009, "Feature Hashing for Large Scale Multitask Learning": each feature adds +1 or -1, by a hash of
it, to one coordinate chosen by a hash of it; inner products are kept in expectation. Features are the words of a text
and the character 3- to 5-grams within them, each word between boundary marks as in fastText (Bojanowski et al. 2017),
so that misspelt and inflected words are alike. A feature that occurs t times counts 1 + log t.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from similia.encode.base import Side, as_texts, check_side, fingerprint, unit
from similia.errors import InputError, ModelError
from similia.types import Dense, Float32, Int64

UInt64: TypeAlias = npt.NDArray[np.uint64]
Float64: TypeAlias = npt.NDArray[np.float64]

BLOCK = 1 << 18  # characters that are hashed together
MARK = 0x110000  # stands at both ends of a word; the first number that is no character
GRAMS = (3, 4, 5)
GRAM_WEIGHT = 0.5  # of a character n-gram, where a word has 1
BASE = 0x9E3779B97F4A7C15  # odd, so that it has an inverse modulo 2**64
HASH_BITS = 40  # of a feature's hash that are kept; the rest of 64 say which text of a block has it


@dataclass(frozen=True)
class HashingEncoder:
    """Texts to L2-normalised vectors of hashed words and character n-grams; the same in every process.

    A text without a letter or digit has the zero vector, which is similar to nothing.

    Attributes:
        dimension: the length of a vector; fewer dimensions make more accidental likeness (about 1 / sqrt(dimension)).

    Examples:
        >>> vectors = HashingEncoder(512).encode(["similarity search", "searching similarities", "tax law"]).vectors
        >>> bool(vectors[0] @ vectors[1] > 0.3 > vectors[0] @ vectors[2])
        True
    """

    dimension: int = 512

    def __post_init__(self) -> None:
        if not 8 <= self.dimension <= 1 << 16:
            raise InputError(f"hashing: {self.dimension} dimensions; expected 8 to 65536")

    @property
    def name(self) -> str:
        return f"hashing:{self.dimension}"

    @cached_property
    def fingerprint(self) -> str:
        return fingerprint(
            kind="hashing", version=1, dimension=self.dimension, grams=list(GRAMS), gram_weight=GRAM_WEIGHT, base=BASE
        )

    def encode(self, items: Sequence[str], *, side: Side = "item") -> Dense:
        """One vector a text: float32 (n, dimension), of length 1 (or 0)."""
        check_side(side)
        texts = as_texts(items)
        vectors = np.zeros((len(texts), self.dimension), np.float32)
        for start, stop in _blocks(texts):
            vectors[start:stop] = self._encode(texts[start:stop])
        return Dense(vectors)

    def _encode(self, texts: list[str]) -> Float32:
        owner, feature, weight = features(texts)
        place = owner * self.dimension + (feature >> np.uint64(1)).astype(np.int64) % self.dimension
        signed = np.where(feature & np.uint64(1), weight, -weight)
        sums = np.bincount(place, weights=signed, minlength=len(texts) * self.dimension)
        return unit(sums.reshape(len(texts), self.dimension).astype(np.float32))


def from_spec(spec: str) -> HashingEncoder:
    """The encoder of ``"hashing"`` or ``"hashing:256"``.

    Raises:
        ModelError: what follows the colon is not a number of dimensions.
    """
    _, colon, digits = spec.partition(":")
    if not colon:
        return HashingEncoder()
    if not (digits.isascii() and digits.isdecimal()) or not 8 <= int(digits) <= 1 << 16:
        raise ModelError(f"{spec}: expected hashing:DIMENSIONS with 8 to 65536 of them, such as hashing:256")
    return HashingEncoder(int(digits))


def features(texts: Sequence[str]) -> tuple[Int64, UInt64, Float64]:
    """The distinct features of at most 2**16 texts: owner (f,), 40-bit hash (f,), weight (f,).

    Every n-gram's hash is read off one running sum: with c the mixed characters, ``P[j] = sum of c[i] * B**i, i < j``
    modulo 2**64, and ``(P[i + n] - P[i]) * B**-i`` depends on the characters alone, not on where they stand.
    """
    symbols, owner = _symbols(texts)
    steps = np.full(len(symbols), BASE, np.uint64)
    steps[:1] = 1
    powers = np.cumprod(steps)
    steps[1:] = pow(BASE, -1, 1 << 64)
    inverses = np.cumprod(steps)
    sums = np.concatenate((np.zeros(1, np.uint64), np.cumsum(_mix(symbols) * powers)))

    def hashes(start: Int64, stop: Int64) -> UInt64:
        return np.asarray((sums[stop] - sums[start]) * inverses[start], np.uint64)

    marks = np.flatnonzero(symbols == MARK)
    filled = np.diff(marks) > 1
    first, last = marks[:-1][filled], marks[1:][filled]
    parts = [_counted(owner[first + 1], _mix(hashes(first + 1, last)), 1.0)]
    # The mark that ends the word a symbol is in: an n-gram may reach it and not go beyond.
    end = np.zeros(len(symbols), np.int64)
    end[first] = last
    end = np.maximum.accumulate(end)
    start = np.flatnonzero(end > np.arange(len(symbols)))
    for size in GRAMS:
        inside = start[start + size - 1 <= end[start]]
        parts.append(_counted(owner[inside + 1], _mix(hashes(inside, inside + size) + np.uint64(size)), GRAM_WEIGHT))
    owners, keys, weights = zip(*parts, strict=True)
    return np.concatenate(owners), np.concatenate(keys), np.concatenate(weights)


def _symbols(texts: Sequence[str]) -> tuple[UInt64, Int64]:
    """The characters of all words, a MARK around each word, and the text that each symbol belongs to."""
    plain = [unicodedata.normalize("NFKC", text).casefold() for text in texts]
    joined = "\n" + "".join(text + "\n" for text in plain)
    codes = np.frombuffer(joined.encode("utf-32-le"), np.uint32)
    sizes = np.array([len(text) + 1 for text in plain], np.int64)
    owner = np.concatenate((np.zeros(1, np.int64), np.repeat(np.arange(len(plain), dtype=np.int64), sizes)))
    kinds, inverse = np.unique(codes, return_inverse=True)
    wordly = np.array([_is_word(chr(code)) for code in kinds.tolist()])[inverse]
    keep = wordly | np.concatenate((np.ones(1, bool), wordly[:-1]))
    return np.where(wordly, codes, MARK).astype(np.uint64)[keep], owner[keep]


def _is_word(character: str) -> bool:
    return character.isalnum() or unicodedata.category(character).startswith("M")


def _counted(owner: Int64, keys: UInt64, weight: float) -> tuple[Int64, UInt64, Float64]:
    """Each text's distinct features, with ``weight * (1 + log(times it occurs))``."""
    both = np.sort((owner.astype(np.uint64) << np.uint64(HASH_BITS)) | (keys >> np.uint64(64 - HASH_BITS)))
    first = np.flatnonzero(np.concatenate((np.ones(1, bool), both[1:] != both[:-1]))[: len(both)])
    counts = np.diff(np.append(first, len(both)))
    distinct = both[first]
    found = (distinct >> np.uint64(HASH_BITS)).astype(np.int64)
    return found, distinct & np.uint64((1 << HASH_BITS) - 1), weight * (1.0 + np.log(counts))


def _blocks(texts: list[str]) -> Iterator[tuple[int, int]]:
    start = 0
    characters = 0
    for position, text in enumerate(texts):
        if position > start and (characters + len(text) > BLOCK or position - start >= 1 << 16):
            yield start, position
            start, characters = position, 0
        characters += len(text) + 1
    if start < len(texts):
        yield start, len(texts)


def _mix(values: UInt64) -> UInt64:
    """Spread every bit over all bits (the finaliser of SplitMix64; Steele, Lea and Flood 2014)."""
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))
