"""Static encoders: one vector a token from a table, and their mean. Fast, and blind to word order.

model2vec (Tulkens and van Dongen 2024) distils a sentence transformer to such a table; WordLlama takes it from a
language model's input. Tens of thousands of short texts a second on one processor.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np

from similia.encode.base import Side, as_texts, check_side, fingerprint, unit
from similia.encode.files import sha256
from similia.encode.safetensors import read_safetensors
from similia.encode.windows import open_tokenizer
from similia.errors import ModelError
from similia.types import Dense, Float32, Int64, MultiVector

BLOCK = 4096  # texts that are tokenised together
CHARACTERS = 1 << 24  # or fewer, if they hold more characters than this
TABLES = ("embeddings", "embedding.weight", "embeddings.weight")


@dataclass(frozen=True)
class StaticEncoder:
    """The mean of the vectors of a text's tokens, all of them.

    A text without a known token has the zero vector.

    Attributes:
        name: what to call it.
        table: a safetensors file with ``embeddings`` (vocabulary, d) and perhaps ``weights`` and ``mapping`` of length
            vocabulary, as model2vec writes it; or an .npy file with the embeddings alone.
        tokenizer: its tokenizer.json.
        normalise: whether vectors are brought to length 1.
        known_only: whether the token for what is not in the vocabulary counts for nothing, as in model2vec.
        prompts: what is put before each text, by side.
    """

    name: str
    table: Path
    tokenizer: Path
    normalise: bool = True
    known_only: bool = True
    prompts: Mapping[str, str] = field(default_factory=dict)

    @property
    def dimension(self) -> int:
        return int(self._vectors.shape[1])

    @cached_property
    def fingerprint(self) -> str:
        return fingerprint(
            kind="static",
            table=sha256(self.table),
            tokenizer=sha256(self.tokenizer),
            normalise=self.normalise,
            known_only=self.known_only,
            prompts=dict(self.prompts),
        )

    @cached_property
    def _tokenizer(self) -> Any:
        return open_tokenizer(self.tokenizer)

    @cached_property
    def _unknown(self) -> int:
        """The id of the token that stands for what is not in the vocabulary; -1 where that is none, or counts."""
        if not self.known_only:
            return -1
        name = getattr(self._tokenizer.model, "unk_token", None)
        found = self._tokenizer.token_to_id(name) if isinstance(name, str) else None
        return -1 if found is None else int(found)

    @cached_property
    def _vectors(self) -> Float32:
        """One vector a token id, weights and mapping applied."""
        tensors = _read(self.table)
        found = [tensors[name] for name in TABLES if name in tensors]
        if not found or found[0].ndim != 2:
            raise ModelError(
                f"{self.table} holds {', '.join(tensors) or 'nothing'}; expected embeddings (vocabulary, dimension)"
            )
        vectors = np.asarray(found[0], np.float32)
        if "mapping" in tensors:
            mapping = tensors["mapping"]
            if mapping.ndim != 1 or not np.issubdtype(mapping.dtype, np.integer) or not _within(mapping, len(vectors)):
                raise ModelError(f"{self.table}: its mapping does not point into its {len(vectors)} embeddings")
            vectors = vectors[mapping]
        if "weights" in tensors:
            weights = np.asarray(tensors["weights"], np.float32).reshape(-1, 1)
            if len(weights) != len(vectors):
                raise ModelError(f"{self.table}: {len(weights)} weights for {len(vectors)} tokens")
            vectors = vectors * weights
        if not np.isfinite(vectors).all():
            raise ModelError(f"{self.table} holds NaN or infinity; it is damaged")
        return np.ascontiguousarray(vectors)

    def encode(self, items: Sequence[str], *, side: Side = "item") -> Dense:
        """One vector a text: float32 (n, d), of length 1 (or 0) unless the model says otherwise."""
        check_side(side)
        from scipy.sparse import csr_array

        texts = as_texts(items)
        vectors = np.empty((len(texts), self.dimension), np.float32)
        start = 0
        for block in _blocks(texts):
            ids, offsets = self._ids(block, side)
            lengths = np.diff(offsets)
            shares = np.repeat(1.0 / np.maximum(lengths, 1), lengths).astype(np.float32)
            matrix = csr_array((shares, ids, offsets), shape=(len(block), len(self._vectors)))
            matrix.sum_duplicates()
            vectors[start : start + len(block)] = matrix @ self._vectors
            start += len(block)
        return Dense(unit(vectors) if self.normalise else vectors)

    def encode_tokens(self, items: Sequence[str], *, side: Side = "item") -> MultiVector:
        """The vectors of each text's known tokens, of length 1, in the order of the text."""
        check_side(side)
        texts = as_texts(items)
        ids, offsets = self._ids(texts, side)
        return MultiVector(unit(self._vectors[ids]), offsets)

    def _ids(self, texts: Sequence[str], side: Side) -> tuple[Int64, Int64]:
        """Known token ids of all texts, and where each text's begin: (total,) and (n + 1,)."""
        prompt = self.prompts.get(side, "")
        encodings = self._tokenizer.encode_batch_fast([prompt + text for text in texts], add_special_tokens=False)
        lists = [encoding.ids for encoding in encodings]
        ids = np.fromiter(chain.from_iterable(lists), np.int64)
        owner = np.repeat(np.arange(len(lists)), [len(each) for each in lists])
        if ids.size and ids.max() >= len(self._vectors):
            raise ModelError(f"{self.tokenizer} has token {ids.max()}, but {self.table} only {len(self._vectors)}")
        known = ids != self._unknown
        counts = np.bincount(owner[known], minlength=len(lists))
        return ids[known], np.concatenate(([0], np.cumsum(counts))).astype(np.int64)


def _read(table: Path) -> dict[str, Any]:
    if table.suffix != ".npy":
        return read_safetensors(table)
    try:
        return {TABLES[0]: np.load(table, allow_pickle=False)}
    except (OSError, ValueError, EOFError) as error:
        raise ModelError(f"{table} is not an .npy file that can be read ({error})") from None


def _within(mapping: Any, size: int) -> bool:
    return not mapping.size or (int(mapping.min()) >= 0 and int(mapping.max()) < size)


def _blocks(texts: list[str]) -> list[list[str]]:
    blocks: list[list[str]] = []
    characters = 0
    for text in texts:
        if not blocks or len(blocks[-1]) == BLOCK or characters + len(text) > CHARACTERS:
            blocks.append([])
            characters = 0
        blocks[-1].append(text)
        characters += len(text)
    return blocks
