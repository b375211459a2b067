"""Evidence: which sentences and words of an item made it a hit.

The localiser of Liu and others, *GeAR: Generation Augmented Retrieval* (ACL Findings 2025), without its trained
decoder: sentences are compared with the query by their vectors, by the words that they share, or token by token.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

import numpy as np
import numpy.typing as npt

from similia.encode.base import Encoder, TokenEncoder
from similia.errors import InputError
from similia.index.topk import check_k
from similia.measure.multivectors import chamfer
from similia.measure.vectors import cosine
from similia.rank.spans import sentence_spans
from similia.rank.stems import Word, telling, words
from similia.types import as_vectors

By: TypeAlias = Literal["tokens", "vectors", "words"]
Idf: TypeAlias = Mapping[str, float] | Callable[[str], float]
Item: TypeAlias = str | Mapping[str, str | None]
Float64: TypeAlias = npt.NDArray[np.float64]

SHARES: Mapping[str, float] = {"tokens": 0.6, "vectors": 0.4, "words": 0.0}
"""What likeness counts beside the words in common: best on questions that were not measured on
(benchmarks/evidence.py)."""
READ = 48
"""Sentences of an item that are encoded."""


@dataclass(frozen=True)
class Evidence:
    """A sentence that speaks for a hit.

    Attributes:
        field: the field that it stands in; "" where the item is one text.
        start, stop: where, in that field: ``text == item[field][start:stop]``.
        text: the sentence.
        score: how much it speaks for the hit; comparable between the sentences of all items of one call.
        words: (start, stop) in the field of each word that the query has too.
    """

    field: str
    start: int
    stop: int
    text: str
    score: float
    words: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, eq=False)
class Locator:
    """Finds the sentences of items that a query means.

    A sentence scores ``share`` times its likeness to the query and, for the rest, the share of the query's words, by
    idf, that it has (0 to 1). Likeness is

    - by ``tokens``: the mean, over the tokens of the query, of the best cosine with a token of the sentence (MaxSim);
    - by ``vectors``: the cosine of sentence and query;
    - by ``words``: nothing; words in common decide alone.

    All sentences of all items, at most ``read`` an item, are encoded in one call, and the query in another: for 10
    abstracts about 60 short texts. Words alone need no encoder.

    Attributes:
        encoder: of sentences. None leaves the words alone.
        idf: of a stem (`similia.rank.stems`, those of the full-text index), at least 0: a mapping, in which what is
            missing counts as the rarest, or a function. None takes that of the sentences at hand.
        by: see above. None takes the first of the three that the encoder can, and "vectors" for a query without text.
        share: of likeness, 0 to 1; with 1 the words in common do not count. None takes what was best on other data.
        read: sentences of an item that are encoded: those with most words in common, then the first. Others are not
            found, unless by words alone.

    Raises:
        InputError: an unknown way, "vectors" or "tokens" without an encoder that can, or a number beyond its limits.

    Examples:
        >>> text = "We met in Rome. The cat sat on a mat."
        >>> (found,) = Locator().locate("cats", [{"title": "Holidays", "body": text}], most=1)
        >>> found[0].field, found[0].text, [text[start:stop] for start, stop in found[0].words]
        ('body', 'The cat sat on a mat.', ['cat'])
    """

    encoder: Encoder | None = None
    idf: Idf | None = None
    by: By | None = None
    share: float | None = None
    read: int = READ

    def __post_init__(self) -> None:
        if self.by not in (None, *get_args(By)):
            raise InputError(f"by is {self.by!r}; there are {', '.join(get_args(By))}")
        if self.by == "vectors" and self.encoder is None:
            raise InputError("by='vectors' needs an encoder; without one, by='words' is what there is")
        if self.by == "tokens" and not isinstance(self.encoder, TokenEncoder):
            raise InputError("by='tokens' needs an encoder that gives a vector a token; by='vectors' needs less")
        if self.share is not None and not 0 <= self.share <= 1:
            raise InputError(f"share is {self.share!r}; it must lie in [0, 1]")
        check_k(self.read)

    def locate(
        self, query: str, items: Sequence[Item], *, vector: npt.ArrayLike | None = None, most: int = 3
    ) -> list[list[Evidence]]:
        """The sentences of each item that speak most for it, best first; equal ones in the order of the text.

        Args:
            query: what was asked; of an item that was asked with, its text.
            items: texts, or texts by field; a field that is None is empty.
            vector: the vector of the query, (d,), where it is known; of use by "vectors".
            most: sentences an item.

        Returns:
            For each item at most ``most``: all that it has where these are fewer, none where it has no words. Where
            nothing speaks for an item, its first sentences, with a score of 0 or below.

        Raises:
            InputError: an item or a query that is no text, or a vector of another dimension.
        """
        check_k(most)
        if not isinstance(query, str):
            raise InputError(f"the query is of type {type(query).__name__}; it must be text, or '' beside a vector")
        if isinstance(items, str | Mapping):
            raise InputError("items is one item; expected a list of them, such as [text]")
        asked = telling(query)
        found = [_sentences(item, place, asked) for place, item in enumerate(items)]
        weight = self._weights(asked, found)
        total = sum(weight.values())
        for sentence in (sentence for own in found for sentence in own):
            common = {word.stem for word in sentence.words}
            sentence.overlap = sum(weight[stem] for stem in common) / total if total > 0 else 0.0
        by = self._way(query)
        if by == "words":
            return [_best([(s.overlap, s) for s in own], most) for own in found]
        kept = [_most_shared(own, self.read) for own in found]
        likeness = self._likeness(by, query, vector, list(dict.fromkeys(s.text for own in kept for s in own)))
        share = SHARES[by] if self.share is None else self.share
        return [_best([(share * likeness[s.text] + (1 - share) * s.overlap, s) for s in own], most) for own in kept]

    def _way(self, query: str) -> By:
        """What sentences are compared by."""
        if self.encoder is None:
            return "words"
        if self.by is not None:
            return self.by
        return "tokens" if isinstance(self.encoder, TokenEncoder) and query.strip() else "vectors"

    def _weights(self, asked: Iterable[str], found: Sequence[Sequence[_Sentence]]) -> dict[str, float]:
        """The idf of each stem of the query."""
        if self.idf is None:
            sentences = [{word.stem for word in sentence.words} for own in found for sentence in own]
            counts = Counter(stem for stems in sentences for stem in stems)
            n = len(sentences)
            return {stem: math.log1p((n - counts[stem] + 0.5) / (counts[stem] + 0.5)) for stem in asked}
        if isinstance(self.idf, Mapping):
            rarest = max(self.idf.values(), default=1.0)
            weight = {stem: float(self.idf.get(stem, rarest)) for stem in asked}
        else:
            weight = {stem: float(self.idf(stem)) for stem in asked}
        for stem, value in weight.items():
            if not (math.isfinite(value) and value >= 0):
                raise InputError(f"the idf of {stem!r:.80} is {value!r}; it must be a finite number, at least 0")
        return weight

    def _likeness(self, by: By, query: str, vector: npt.ArrayLike | None, texts: list[str]) -> dict[str, float]:
        """How alike the query and each text are."""
        encoder = self.encoder
        assert encoder is not None
        if not texts:
            return {}
        if by == "tokens":
            assert isinstance(encoder, TokenEncoder)
            asked = encoder.encode_tokens([query], side="query")
            values = chamfer(asked, encoder.encode_tokens(texts))[0] / max(1, len(asked.vectors))
            values = np.where(np.isfinite(values), values, 0)  # a sentence of which the encoder knows no token
        else:
            if vector is not None:
                of_query = as_vectors(vector, name="the query vector", dimension=encoder.dimension)
            else:
                of_query = encoder.encode([query], side="query").vectors
            values = cosine(of_query[:1], encoder.encode(texts).vectors)[0]
        return dict(zip(texts, values.tolist(), strict=True))


@dataclass(eq=False)
class _Sentence:
    field: str
    start: int
    stop: int
    text: str
    words: list[Word]  # those of the query alone, with places in the field
    overlap: float = 0.0


def _sentences(item: Item, place: int, asked: Iterable[str]) -> list[_Sentence]:
    if isinstance(item, str):
        item = {"": item}
    if not isinstance(item, Mapping):
        raise InputError(f"item {place} is of type {type(item).__name__}; each is text, or a mapping of field to text")
    wanted = frozenset(asked)
    found = []
    for name, text in item.items():
        if text is None:
            continue
        if not isinstance(text, str):
            raise InputError(f"item {place}: field {name!r:.80} is of type {type(text).__name__}; expected text")
        for start, stop in sentence_spans(text):
            part = text[start:stop]
            shared = (
                [Word(start + a, start + z, stem) for a, z, stem in words(part) if stem in wanted] if wanted else []
            )
            found.append(_Sentence(name, start, stop, part, shared))
    return found


def _most_shared(sentences: list[_Sentence], count: int) -> list[_Sentence]:
    """Those that share most words with the query, in the order of the text."""
    order = sorted(range(len(sentences)), key=lambda place: -sentences[place].overlap)[:count]
    return [sentences[place] for place in sorted(order)]


def _best(scored: list[tuple[float, _Sentence]], most: int) -> list[Evidence]:
    """The sentences with the highest scores; the order that they come in decides between equals."""
    order = sorted(range(len(scored)), key=lambda place: -scored[place][0])[:most]
    return [_evidence(*scored[place]) for place in order]


def _evidence(score: float, sentence: _Sentence) -> Evidence:
    places = tuple((word.start, word.stop) for word in sentence.words)
    return Evidence(sentence.field, sentence.start, sentence.stop, sentence.text, float(score), places)
