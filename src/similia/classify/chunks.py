"""Long texts: encoded in pieces that the encoder reads whole, and averaged."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

import numpy as np

from similia.errors import InputError
from similia.types import Float32, as_vectors

SENTENCE_END = re.compile(r"(?<=[.!?])\s+")


def pack_sentences(text: str, words: int) -> list[str]:
    """Split a text into sentences and pack them, in order, into pieces of at most ``words`` words.

    A sentence that is longer by itself is cut between words; a text without words is one empty piece.

    Raises:
        InputError: ``words`` below 1.

    Examples:
        >>> pack_sentences("One two. Three four five. Six.", 5)
        ['One two. Three four five.', 'Six.']
    """
    if words < 1:
        raise InputError(f"words is {words}; a piece holds at least 1")
    pieces: list[list[str]] = [[]]
    for sentence in SENTENCE_END.split(text.strip()):
        tokens = sentence.split()
        for start in range(0, len(tokens), words):
            part = tokens[start : start + words]
            if len(pieces[-1]) + len(part) > words:
                pieces.append([])
            pieces[-1].extend(part)
    return [" ".join(piece) for piece in pieces if piece] or [""]


def encode_long(texts: Sequence[str], encode: Callable[[list[str]], Float32], *, words: int) -> Float32:
    """Encode each text as the mean of the vectors of its pieces.

    Args:
        texts: (n,) texts.
        encode: strings -> float32 (m, d).
        words: how many words a piece holds at the most; half of what the encoder reads is the authors' choice.

    Returns:
        float32 (n, d), not of unit length where a text has several pieces.

    Examples:
        >>> encode_long(["a b", "a b. c d."], lambda t: np.array([[len(s.split()), 1] for s in t]), words=2).tolist()
        [[2.0, 1.0], [2.0, 1.0]]
    """
    if not texts:
        raise InputError("there are no texts to encode")
    pieces = [pack_sentences(text, words) for text in texts]
    vectors = as_vectors(encode([piece for parts in pieces for piece in parts]))
    starts = np.cumsum([0, *(len(parts) for parts in pieces[:-1])])
    counts = np.array([len(parts) for parts in pieces], np.float32)[:, None]
    return np.ascontiguousarray(np.add.reduceat(vectors, starts, axis=0) / counts, dtype=np.float32)
