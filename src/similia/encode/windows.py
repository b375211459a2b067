"""Token sequences of texts; a long text gives several windows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from similia.errors import ModelError
from similia.types import Int64

CHARACTERS = 64  # characters a token, generously: what lies beyond them in a long text is not even tokenised


@dataclass(frozen=True, eq=False)
class Tokens:
    """The sequences of ``count`` texts.

    Attributes:
        sequences: int64 (length,) each, special tokens included; every text owns at least one.
        lengths: int64 (m,), of the sequences.
        owner: int64 (m,), the text that each sequence belongs to.
        count: how many texts there are.
        prefix: how many special tokens each sequence starts with; ``suffix``: ends with.
        padding: the id to fill batches with.
    """

    sequences: list[Int64]
    lengths: Int64
    owner: Int64
    count: int
    prefix: int
    suffix: int
    padding: int


def open_tokenizer(path: Path) -> Any:
    """A ``tokenizers.Tokenizer`` that neither truncates nor pads.

    Raises:
        ModelError: the file is missing or is not a tokenizer.
    """
    from tokenizers import Tokenizer

    try:
        tokenizer = Tokenizer.from_file(str(path))
    except Exception as error:  # noqa: BLE001  (the library raises bare Exception)
        raise ModelError(f"{path} is not a tokenizer.json that can be read ({str(error)[:200]})") from None
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer


def tokenise(tokenizer: Any, texts: Sequence[str], *, max_tokens: int, windows: int) -> Tokens:
    """Cut each text into at most ``windows`` sequences of at most ``max_tokens`` tokens."""
    head, tail = special(tokenizer)
    room = max_tokens - len(head) - len(tail)
    limit = CHARACTERS * max_tokens * windows
    encodings = tokenizer.encode_batch_fast([text[:limit] for text in texts], add_special_tokens=False)
    sequences: list[Int64] = []
    owner: list[int] = []
    for item, encoding in enumerate(encodings):
        ids = encoding.ids[: room * windows]
        for start in range(0, max(1, len(ids)), room):
            sequences.append(np.array(head + ids[start : start + room] + tail, np.int64))
            owner.append(item)
    lengths = np.array([len(each) for each in sequences], np.int64)
    padding = next((p for p in (tokenizer.token_to_id("[PAD]"), tokenizer.token_to_id("<pad>")) if p is not None), 0)
    return Tokens(sequences, lengths, np.array(owner, np.int64), len(texts), len(head), len(tail), padding)


def special(tokenizer: Any) -> tuple[list[int], list[int]]:
    """The ids of the special tokens that the tokenizer puts before and after one text."""
    example = tokenizer.encode("a")
    marks = example.special_tokens_mask
    inside = [position for position, mark in enumerate(marks) if not mark]
    if not inside:
        return list(example.ids), []
    return list(example.ids[: inside[0]]), list(example.ids[inside[-1] + 1 :])
