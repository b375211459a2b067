"""One encoder, conditioned on what is meant: "the method that the paper proposes"."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from similia.encode.base import Encoder, Side, as_texts, check_side, fingerprint, unit
from similia.encode.sentences import MOST, sentences
from similia.errors import InputError
from similia.types import Dense, Float32

TEMPERATURE = 0.2
SHARE = 0.3
BLOCK = 512  # texts whose sentences are encoded together


@dataclass(frozen=True)
class AspectEncoder:
    """A text's vector, leaning to those of its sentences that are about ``about``.

    Each sentence is weighted by the softmax of its cosine to the vector of ``about``. Their sum, normalised, makes up
    ``share`` of the result, and the vector of the whole text the rest; a text of one sentence keeps its vector.

    **This is a first version, and it does little.** ``python -m benchmarks.about`` measures it on 700 paper abstracts
    (MAP@10 of neighbours that share a method, or a task): method .239 -> .247, task .532 -> .511. Neither a prefix nor
    a projection nor weighted coordinates do better, weighted tokens about the same, and stronger conditioning loses
    more than it gains. A sense learned from labels will do better; this one needs none.

    Attributes:
        base: the encoder that is conditioned.
        about: the aspect in words.
        temperature: of the softmax over the sentences' similarities to the aspect; lower picks fewer sentences.
        share: how much of the vector is the aspect's; 0 gives the base encoder's own.

    Examples:
        >>> from similia.encode import load
        >>> encoder = AspectEncoder(load("hashing"), "the colour")
        >>> encoder.encode(["The colour is red. It is made of steel."]).vectors.shape
        (1, 512)
    """

    base: Encoder
    about: str
    temperature: float = TEMPERATURE
    share: float = SHARE

    def __post_init__(self) -> None:
        if not self.about.strip():
            raise InputError("about is empty; say in words what the sense is about, such as 'the method'")
        if not self.temperature > 0 or not 0 <= self.share <= 1:
            raise InputError(f"temperature {self.temperature}, share {self.share}: expected more than 0, and 0 to 1")

    @property
    def name(self) -> str:
        return f"{self.base.name} about {self.about}"

    @property
    def dimension(self) -> int:
        return self.base.dimension

    @cached_property
    def fingerprint(self) -> str:
        return fingerprint(
            kind="aspect",
            base=self.base.fingerprint,
            about=self.about,
            temperature=self.temperature,
            share=self.share,
            sentences=MOST,
        )

    @cached_property
    def direction(self) -> Float32:
        """The aspect's own vector, float32 (d,)."""
        vectors: Float32 = unit(self.base.encode([self.about], side="query").vectors)
        return np.asarray(vectors[0], np.float32)

    def encode(self, items: Sequence[str], *, side: Side = "item") -> Dense:
        """One vector a text: float32 (n, d), of length 1 (or 0)."""
        check_side(side)
        texts = as_texts(items)
        vectors = np.empty((len(texts), self.dimension), np.float32)
        for start in range(0, len(texts), BLOCK):
            block = texts[start : start + BLOCK]
            vectors[start : start + BLOCK] = self._block(block, side)
        return Dense(vectors)

    def _block(self, texts: list[str], side: Side) -> Float32:
        parts = [sentences(text) or [text] for text in texts]
        owner = np.repeat(np.arange(len(texts)), [len(each) for each in parts])
        found = self.base.encode([*texts, *(sentence for each in parts for sentence in each)], side=side).vectors
        whole, single = unit(found[: len(texts)]), unit(found[len(texts) :])
        chosen = leaning(single, owner, self.direction, self.temperature, len(texts))
        return unit(self.share * chosen + (1 - self.share) * whole)


def leaning(
    parts: Float32, owner: npt.NDArray[np.int64], direction: Float32, temperature: float, count: int
) -> Float32:
    """The parts (m, d) of ``count`` texts, each weighted by a softmax of its inner product with the direction (d,).

    ``owner`` (m,) says whose each part is. Returns float32 (count, d), of length 1 (or 0).
    """
    logits = (parts @ direction).astype(np.float64) / temperature
    highest = np.full(count, -np.inf)
    np.maximum.at(highest, owner, logits)
    weights = np.exp(logits - highest[owner])
    weights /= np.bincount(owner, weights, count)[owner]
    chosen = np.zeros((count, parts.shape[1]), np.float32)
    np.add.at(chosen, owner, parts * weights[:, None].astype(np.float32))
    return unit(chosen)
