"""Evidence by attention: the sentences of items that a query looks at."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from similia.encode.base import Encoder
from similia.errors import InputError
from similia.index.topk import check_k
from similia.rank.fusing.fusion import CrossFusion
from similia.rank.fusing.localizer import Localizer
from similia.rank.fusing.tokens import PlacedTokens, place_tokens, token_spans
from similia.rank.locating import Evidence, Item
from similia.rank.spans import sentence_spans
from similia.rank.stems import telling, words


@dataclass(frozen=True, eq=False)
class FusedLocator:
    """Finds the sentences of items by the attention of a trained block, without encoding sentences.

    All sentences of an item share one attention that sums to 1, also where the item is longer than the window of the
    encoder: scores tell sentences of an item apart, not items. It needs training, and with 3,600 made queries is behind
    what needs none: it finds the sentence that was asked for in 94 % of MedQuAD's answers and 64 % of TREC-QA's lists,
    the best cosines of tokens in 97 % and 81 % (docs/atlas/013.json). `similia.rank.Locator` uses those.

    Attributes:
        encoder: the one that the fusion was trained on.
        fusion: fitted.
        localizer: how the attention of tokens becomes that of a sentence.

    Raises:
        FingerprintMismatch: the fusion was trained on another encoder.

    Examples:
        >>> from similia.encode import load
        >>> encoder, texts = load("minilm"), ["A cat sat on the mat. It rained.", "We fly to Rome. Tea is hot."]
        >>> queries, items = place_tokens(encoder, ["cats", "drinks"], side="query"), place_tokens(encoder, texts)
        >>> fusion = CrossFusion(epochs=1, holdout=0).fit(queries.tokens, items.tokens, [0, 1], [(0, 7), (5, 9)])
        >>> (found,) = FusedLocator(encoder, fusion).locate("a warm drink", texts[1:], most=1)
        >>> found[0].text
        'Tea is hot.'
    """

    encoder: Encoder
    fusion: CrossFusion
    localizer: Localizer = field(default_factory=Localizer)

    def __post_init__(self) -> None:
        self.fusion.check(self.encoder.fingerprint)

    def read(self, items: Sequence[Item]) -> PlacedTokens:
        """The tokens of all texts of all items, in order, to keep and to give to `locate`.

        Raises:
            InputError: an item that is no text.
        """
        return place_tokens(self.encoder, [text for own in _fields(items) for _, text in own])

    def locate(
        self, query: str, items: Sequence[Item], *, most: int = 3, tokens: PlacedTokens | None = None
    ) -> list[list[Evidence]]:
        """The sentences of each item that the query looks at most, best first; equal ones in the order of the text.

        Args:
            query: what was asked.
            items: texts, or texts by field; a field that is None is empty.
            most: sentences an item.
            tokens: what `read` gave for these items; None encodes them now.

        Returns:
            For each item at most ``most``; none where it has no words.

        Raises:
            InputError: a query without words, an item that is no text, or tokens of other items.
        """
        check_k(most)
        if not isinstance(query, str):
            raise InputError(f"the query is of type {type(query).__name__}; it must be text")
        fields = list(_fields(items))
        if not fields:
            return []
        placed = self.read(items) if tokens is None else tokens
        if len(placed) != sum(map(len, fields)):
            raise InputError(f"tokens are of {len(placed)} texts; the items have {sum(map(len, fields))}")
        asked = place_tokens(self.encoder, [query], side="query").tokens.vectors
        stems = frozenset(telling(query))
        found, first = [], 0
        for own in fields:
            found.append(self._best(asked, stems, own, placed, first, most))
            first += len(own)
        return found

    def _best(
        self,
        asked: np.ndarray,
        stems: frozenset[str],
        own: list[tuple[str, str]],
        placed: PlacedTokens,
        first: int,
        most: int,
    ) -> list[Evidence]:
        offsets = placed.tokens.offsets[first : first + len(own) + 1]
        vectors = placed.tokens.vectors[offsets[0] : offsets[-1]]
        if not len(vectors):
            return []
        spans, sentences = [], []
        for place, (name, text) in enumerate(own):
            cut = list(sentence_spans(text))
            spans.append(token_spans(placed.places_of(first + place), cut) + (offsets[place] - offsets[0]))
            sentences += [(name, text, start, stop) for start, stop in cut]
        scores = self.localizer(self.fusion(asked, vectors).attention, np.concatenate(spans))
        found = []
        for place in np.argsort(-scores, kind="stable")[:most].tolist():
            name, text, start, stop = sentences[place]
            part = text[start:stop]
            shared = tuple((start + word.start, start + word.stop) for word in words(part) if word.stem in stems)
            found.append(Evidence(name, start, stop, part, float(scores[place]), shared))
        return found


def _fields(items: Sequence[Item]) -> Iterator[list[tuple[str, str]]]:
    """Name and text of each field of each item."""
    if isinstance(items, str | Mapping):
        raise InputError("items is one item; expected a list of them, such as [text]")
    for place, item in enumerate(items):
        if isinstance(item, str):
            item = {"": item}
        if not isinstance(item, Mapping):
            kind = type(item).__name__
            raise InputError(f"item {place} is of type {kind}; each is text, or a mapping of field to text")
        for name, text in item.items():
            if text is not None and not isinstance(text, str):
                kind = type(text).__name__
                raise InputError(f"item {place}: field {name!r:.80} is of type {kind}; expected text")
        yield [(name, text) for name, text in item.items() if text is not None]
