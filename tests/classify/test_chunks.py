"""Long texts keep every word, in order, in pieces that are not too long."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from similia.classify import encode_long, pack_sentences
from similia.errors import InputError


@given(st.lists(st.sampled_from(["one", "two.", "three!", "four?", "five", "\n"]), max_size=40), st.integers(1, 9))
def test_every_word_stays_in_order(tokens: list[str], limit: int) -> None:
    text = " ".join(tokens)
    pieces = pack_sentences(text, limit)
    assert " ".join(pieces).split() == text.split()
    assert all(len(piece.split()) <= limit for piece in pieces)
    assert pieces == [""] or all(pieces)


def test_sentences_are_kept_whole_where_they_fit() -> None:
    assert pack_sentences("a b c. d e. f g h i j k l", 5) == ["a b c. d e.", "f g h i j", "k l"]


def test_a_text_is_the_mean_of_its_pieces() -> None:
    def encode(texts: list[str]) -> np.ndarray:
        return np.array([[text.count("a"), text.count("b")] for text in texts], dtype=np.float32)

    found = encode_long(["a a. b b. b b.", "", "a"], encode, words=2)
    assert found.tolist() == [[pytest.approx(2 / 3), pytest.approx(4 / 3)], [0, 0], [1, 0]]
    with pytest.raises(InputError):
        encode_long([], encode, words=2)
    with pytest.raises(InputError):
        pack_sentences("a", 0)
