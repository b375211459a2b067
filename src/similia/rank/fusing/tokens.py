"""Tokens of texts: their vectors and where each stands, for texts of any length."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from similia.encode.base import Encoder, Side, as_texts
from similia.errors import InputError
from similia.rank.spans import sentence_spans
from similia.types import Bool, Int64, MultiVector

_SURROGATE = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True, eq=False)
class PlacedTokens:
    """The tokens of n texts.

    Attributes:
        tokens: their vectors, of length 1.
        places: int64 (total, 2), the characters of its text that each token starts at and stops before; (-1, -1) for a
            token of an encoder's prompt, which stands in no text.
    """

    tokens: MultiVector
    places: Int64

    def __post_init__(self) -> None:
        places = np.asarray(self.places)
        if places.shape != (len(self.tokens.vectors), 2) or places.dtype.kind not in "iu":
            raise InputError(f"places {places.dtype} {places.shape}; expected whole numbers, two a token")
        object.__setattr__(self, "places", places.astype(np.int64))

    def __len__(self) -> int:
        return len(self.tokens)

    def places_of(self, text: int) -> Int64:
        """Those of one text, (t, 2)."""
        return self.places[self.tokens.offsets[text] : self.tokens.offsets[text + 1]]


def place_tokens(encoder: Encoder, texts: Sequence[str], *, side: Side = "item") -> PlacedTokens:
    """Encode texts token by token, and keep where the tokens stand.

    A text that is longer than the encoder's window is split between sentences into parts that fit it; a sentence that
    is longer than the window is read as far as the encoder reads. What has no word in it has no tokens.

    Args:
        encoder: one that `similia.encode.load` gives for "minilm" or for a folder with an ONNX model.
        texts: n of them.
        side: as in `Encoder.encode`.

    Raises:
        InputError: a text that is none, or an encoder whose tokens have no places.

    Examples:
        >>> from similia.encode import load
        >>> text = "Hello world. " * 200
        >>> found = place_tokens(load("minilm"), [text])
        >>> [text[start:stop] for start, stop in found.places[-3:]], len(found.places)
        (['Hello', 'world', '.'], 600)
    """
    from similia.encode.transformer import TransformerEncoder
    from similia.encode.windows import special

    if not isinstance(encoder, TransformerEncoder):
        raise InputError(f"{encoder.name} does not say where its tokens stand; expected a transformer, such as minilm")
    settings = encoder.settings
    tokenizer = _tokenizer(settings.tokenizer)
    prompt = settings.prompts.get(side, "")
    taken = sum(map(len, special(tokenizer))) + len(tokenizer.encode(prompt, add_special_tokens=False).ids)
    room = max(1, settings.max_tokens - taken)
    # One character for one, so that places stay true; `as_texts` would write three.
    read = [_SURROGATE.sub("\ufffd", text) if isinstance(text, str) else text for text in _listed(texts)]
    owner: list[int] = []
    cuts: list[tuple[int, int]] = []
    for place, text in enumerate(as_texts(read)):
        found = list(_parts(tokenizer, text, room))
        cuts += found
        owner += [place] * len(found)
    parts = [read[own][start:stop] for own, (start, stop) in zip(owner, cuts, strict=True)]
    tokens = encoder.encode_tokens(parts, side=side)
    most = (settings.max_tokens - sum(map(len, special(tokenizer)))) * settings.windows
    places = [np.empty((0, 2), np.int64)]
    for encoding, (start, _) in zip(_encodings(tokenizer, [prompt + part for part in parts]), cuts, strict=True):
        at = np.array(encoding.offsets[:most], np.int64).reshape(-1, 2) - len(prompt)
        places.append(np.where(at[:, 1:] > 0, np.maximum(at, 0) + start, -1))
    counts = np.bincount(np.array(owner, np.int64), np.diff(tokens.offsets), len(read)).astype(np.int64)
    offsets = np.concatenate(([0], np.cumsum(counts)))
    return PlacedTokens(MultiVector(tokens.vectors, offsets), np.concatenate(places))


def token_spans(places: npt.ArrayLike, spans: npt.ArrayLike) -> Int64:
    """Which tokens stand in each span of a text: int64 (s, 2), the first and the one after the last.

    A token belongs to the span that its last character lies in. A span without tokens gets (0, 0).

    Args:
        places: (t, 2) of the tokens, in order.
        spans: (s, 2) of characters, start and stop.

    Raises:
        InputError: shapes that do not fit.

    Examples:
        >>> token_spans([(0, 5), (6, 7), (7, 8), (9, 12)], [(0, 8), (9, 12), (20, 30)]).tolist()
        [[0, 3], [3, 4], [0, 0]]
    """
    at, wanted = as_spans(places, "places"), as_spans(spans, "spans")
    last = at[:, 1] - 1
    if not len(at):
        return np.zeros_like(wanted)
    starts, stops = wanted[:, :1], wanted[:, 1:]
    inside: Bool = np.logical_and(np.logical_and(last >= starts, last < stops), at[:, 0] >= 0)
    some: Bool = np.asarray(inside.any(axis=1))
    found = np.stack([inside.argmax(axis=1), len(at) - inside[:, ::-1].argmax(axis=1)], axis=1)
    return np.where(some[:, None], found, 0).astype(np.int64)


def as_spans(given: npt.ArrayLike, name: str) -> Int64:
    """Pairs of whole numbers, (n, 2).

    Raises:
        InputError: anything else.
    """
    spans = np.asarray(given)
    if not spans.size:
        return np.empty((0, 2), np.int64)
    if spans.ndim != 2 or spans.shape[1] != 2 or spans.dtype.kind not in "iu":
        raise InputError(f"{name}: {spans.dtype} {spans.shape}; expected whole numbers (n, 2), start and stop")
    return spans.astype(np.int64)


@lru_cache(maxsize=4)
def _tokenizer(path: Path) -> Any:
    """Opened once: that takes longer than to read a query with it."""
    from similia.encode.windows import open_tokenizer

    return open_tokenizer(path)


def _listed(texts: Sequence[str]) -> list[Any]:
    if isinstance(texts, str | bytes):
        raise InputError(f"texts is one {type(texts).__name__}; expected a list of strings, such as [text]")
    return list(texts)


def _parts(tokenizer: Any, text: str, room: int) -> Iterator[tuple[int, int]]:
    """Runs of whole sentences that have at most ``room`` tokens, or one that has more."""
    sentences = list(sentence_spans(text))
    if not sentences:
        return
    counts = [len(found.ids) for found in _encodings(tokenizer, [text[start:stop] for start, stop in sentences])]
    start, total = sentences[0][0], 0
    for place, ((begin, _), count) in enumerate(zip(sentences, counts, strict=True)):
        if total and total + count > room:
            yield start, sentences[place - 1][1]
            start, total = begin, 0
        total += count
    yield start, sentences[-1][1]


def _encodings(tokenizer: Any, texts: list[str]) -> Any:
    return tokenizer.encode_batch(texts, add_special_tokens=False) if texts else []
