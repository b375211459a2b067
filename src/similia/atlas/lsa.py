"""Latent semantic analysis: the baseline that needs nothing but the texts (Deerwester et al., JASIS 1990)."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

from similia.errors import InputError
from similia.types import Float32

WORD = re.compile(r"[^\W\d_]{2,}")


class LatentSemanticAnalysis:
    """Texts as tf-idf vectors in the space of the largest singular vectors.

    Args:
        dimension: of the space.
        least: in how many texts a word must stand to count.
        seed: for the start of the iteration.

    Examples:
        >>> texts = ["cat dog", "dog cat pet", "tax law", "law tax court"]
        >>> model = LatentSemanticAnalysis(2, least=1).fit(texts)
        >>> a, b, c = model.encode(["cat", "pet", "court"])
        >>> bool(a @ b > a @ c)
        True
    """

    def __init__(self, dimension: int = 128, *, least: int = 2, seed: int = 0) -> None:
        self.dimension = dimension
        self.least = least
        self.seed = seed

    def fit(self, texts: Sequence[str]) -> LatentSemanticAnalysis:
        """Learn words, weights and axes from texts.

        Raises:
            InputError: no words to learn from, or fewer texts or words than dimensions.
        """
        from scipy.sparse.linalg import svds

        frequency = Counter(word for text in texts for word in {*_words(text)})
        known = sorted(word for word, count in frequency.items() if count >= self.least)
        if min(len(known), len(texts)) <= self.dimension:
            raise InputError(f"{len(texts)} texts with {len(known)} words are too few for {self.dimension} dimensions")
        self.words_ = {word: column for column, word in enumerate(known)}
        self.idf_ = np.log((1 + len(texts)) / (1 + np.array([frequency[word] for word in known]))) + 1
        start = np.random.default_rng(self.seed).normal(size=min(len(texts), len(known)))
        self.axes_ = svds(self._weighted(texts), k=self.dimension, v0=start)[2].T
        return self

    def encode(self, texts: Sequence[str]) -> Float32:
        """Texts as float32 (n, dimension), of length 1; 0 where no word is known."""
        vectors = self._weighted(texts) @ self.axes_
        length = np.linalg.norm(vectors, axis=1, keepdims=True)
        return np.ascontiguousarray(vectors / np.where(length > 0, length, 1), dtype=np.float32)

    def _weighted(self, texts: Sequence[str]) -> Any:
        """Sublinear tf times idf, rows of length 1: CSR (n, words)."""
        from scipy.sparse import csr_array, diags_array

        rows, columns, values = [], [], []
        for row, text in enumerate(texts):
            for word, count in Counter(_words(text)).items():
                if word in self.words_:
                    rows.append(row)
                    columns.append(self.words_[word])
                    values.append((1 + np.log(count)) * self.idf_[self.words_[word]])
        matrix = csr_array((values, (rows, columns)), shape=(len(texts), len(self.words_)))
        length = np.sqrt(matrix.multiply(matrix).sum(axis=1))
        return diags_array(1 / np.where(length > 0, length, 1)) @ matrix


def _words(text: str) -> list[str]:
    return WORD.findall(text.lower())
