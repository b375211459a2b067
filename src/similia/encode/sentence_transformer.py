"""Models that only PyTorch runs, through sentence-transformers, where the extra ``learn`` is installed."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from similia.encode.base import Side, as_texts, check_side, fingerprint, unit
from similia.encode.files import sha256
from similia.errors import ModelError
from similia.types import Dense, MultiVector, ragged

PARTS = ("*.json", "*.txt", "*.safetensors", "*.bin", "*.model")


@dataclass(frozen=True)
class SentenceTransformerEncoder:
    """A sentence-transformers model on PyTorch, with the model's own pooling, prompts and truncation.

    Attributes:
        name: what to call it.
        folder: the model's folder.
    """

    name: str
    folder: Path

    @classmethod
    def open(cls, folder: Path, name: str, *, reason: str) -> SentenceTransformerEncoder:
        """Make sure that PyTorch is there; ``reason`` says why it is needed."""
        for package in ("torch", "sentence_transformers"):
            if importlib.util.find_spec(package) is None:
                raise ModelError(
                    f"{folder} {reason}, so it needs PyTorch; run: pip install 'similia[learn]', or take a folder "
                    "with onnx/model.onnx and tokenizer.json"
                )
        return cls(name, folder)

    @cached_property
    def _model(self) -> Any:
        from sentence_transformers import SentenceTransformer

        try:
            return SentenceTransformer(str(self.folder), device="cpu", local_files_only=True)
        except Exception as error:  # noqa: BLE001  (whatever a damaged model makes PyTorch raise)
            raise ModelError(f"{self.folder} cannot be loaded by sentence-transformers ({str(error)[:200]})") from None

    @property
    def dimension(self) -> int:
        return int(self._model.get_sentence_embedding_dimension())

    @cached_property
    def fingerprint(self) -> str:
        files = sorted({path for pattern in PARTS for path in self.folder.rglob(pattern)})
        return fingerprint(
            kind="sentence-transformers",
            files={path.relative_to(self.folder).as_posix(): sha256(path) for path in files},
        )

    def encode(self, items: Sequence[str], *, side: Side = "item") -> Dense:
        """One vector a text: float32 (n, d)."""
        check_side(side)
        texts = as_texts(items)
        if not texts:
            return Dense(np.empty((0, self.dimension), np.float32))
        return Dense(np.asarray(self._run(texts, side, "sentence_embedding"), np.float32))

    def encode_tokens(self, items: Sequence[str], *, side: Side = "item") -> MultiVector:
        """The vectors of each text's tokens, of length 1; the model's first and last special tokens are left out."""
        check_side(side)
        texts = as_texts(items)
        parts = self._run(texts, side, "token_embeddings") if texts else []
        return ragged([unit(np.asarray(part, np.float32)[1:-1]) for part in parts], self.dimension)

    def _run(self, texts: list[str], side: Side, value: str) -> Any:
        method = self._model.encode_query if side == "query" else self._model.encode_document
        return method(texts, output_value=value, show_progress_bar=False, convert_to_numpy=value != "token_embeddings")
