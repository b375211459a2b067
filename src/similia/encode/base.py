"""What an encoder is: items in, representations out, and a fingerprint that says which encoder it was."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from typing import Literal, Protocol, TypeAlias, runtime_checkable

import numpy as np

from similia.errors import InputError
from similia.types import Dense, Float32, MultiVector

Side: TypeAlias = Literal["item", "query"]


@runtime_checkable
class Encoder(Protocol):
    """Turns texts into vectors.

    Two sides, since a query is often not an item: an encoder whose model was trained with prompts puts the right one
    before each text. ``fingerprint`` is stored with what the encoder made; two encoders with one fingerprint make
    vectors that may be compared.
    """

    @property
    def name(self) -> str:
        """What to call the encoder; ``encode.load(name)`` gives it again where that is possible."""
        ...

    @property
    def dimension(self) -> int:
        """The length d of each vector."""
        ...

    @property
    def fingerprint(self) -> str:
        """SHA-256 (64 hexadecimal digits) over everything that decides the vectors."""
        ...

    def encode(self, items: Sequence[str], *, side: Side = "item") -> Dense:
        """One vector an item, in the order of ``items``; no item gives (0, d)."""
        ...


@runtime_checkable
class TokenEncoder(Encoder, Protocol):
    """An encoder that can also give one vector a token, for multi-vector senses."""

    def encode_tokens(self, items: Sequence[str], *, side: Side = "item") -> MultiVector:
        """The L2-normalised vectors of each item's tokens, special tokens left out."""
        ...


def fingerprint(**parts: object) -> str:
    """SHA-256 over named parts, the same in every process and on every machine.

    Args:
        parts: strings, numbers, booleans, None, and lists and dicts of these.

    Examples:
        >>> fingerprint(name="a", dimension=3) == fingerprint(dimension=3, name="a")
        True
        >>> fingerprint(name="a") == fingerprint(name="b")
        False
    """
    text = json.dumps(parts, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)
    return hashlib.sha256(text.encode("ascii")).hexdigest()


def as_texts(items: Iterable[str]) -> list[str]:
    """Return ``items`` as a list, refusing what is not text; lone surrogates become U+FFFD.

    Raises:
        InputError: one string where a list of them is wanted, or an item that is not a string.

    Examples:
        >>> as_texts(["a", 7])
        Traceback (most recent call last):
        similia.errors.InputError: item 1 is of type int; every item to encode must be a string
    """
    if isinstance(items, str | bytes):
        raise InputError(f"items is one {type(items).__name__}; expected a list of strings, such as [text]")
    texts = list(items)
    for position, text in enumerate(texts):
        if not isinstance(text, str):
            kind = type(text).__name__
            raise InputError(f"item {position} is of type {kind}; every item to encode must be a string")
        if not text.isascii():
            try:
                text.encode()
            except UnicodeEncodeError:
                texts[position] = text.encode("utf-8", "surrogatepass").decode("utf-8", "replace")
    return texts


def check_side(side: str) -> None:
    """Refuse a side that is neither ``item`` nor ``query``."""
    if side not in ("item", "query"):
        raise InputError(f"side is {side!r}; expected 'item' or 'query'")


def unit(vectors: Float32) -> Float32:
    """Each row divided by its length; a row of zeros stays one.

    Examples:
        >>> unit(np.array([[3.0, 4.0], [0.0, 0.0]], dtype=np.float32)).round(2).tolist()
        [[0.6000000238418579, 0.800000011920929], [0.0, 0.0]]
    """
    lengths = np.sqrt(np.einsum("nd,nd->n", vectors, vectors, dtype=np.float64))[:, None]
    return np.asarray(vectors / np.where(lengths > 0, lengths, 1.0), dtype=np.float32)
