"""The vectors of records: encoded from their text, taken from a field, or kept where the text did not change."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from similia.errors import InputError
from similia.types import Float32

if TYPE_CHECKING:
    from similia.encode import Encoder

BATCH = 1_024
"""Items whose texts are encoded and stored together."""
CHARACTERS = 8_000_000
"""Fewer are, where their texts are longer than this together."""
READ = 64
"""Items that are looked at together to find out."""
LARGEST = float(np.finfo(np.float16).max)


@dataclass(frozen=True)
class Maker:
    """How the vectors of one sense come about.

    Attributes:
        sense: its name.
        fields: whose text is encoded.
        encoder: that encodes it; not used where ``field`` is set.
        field: the field that holds the vectors, or None.
        dimension: that is required; 0 while it is not known.
        precision: ``float32`` or ``float16``.
    """

    sense: str
    fields: tuple[str, ...]
    encoder: Encoder | None
    field: str | None
    dimension: int
    precision: str

    def texts(self, records: Sequence[Mapping[str, Any]]) -> list[str]:
        """The text of each record as the encoder reads it."""
        from similia.encode import FieldTemplate

        if not self.fields:
            return [""] * len(records)
        template = FieldTemplate(self.fields)
        return [template.render(record) for record in records]

    def make(self, keys: Sequence[str], records: Sequence[Mapping[str, Any]]) -> Float32:
        """Vectors float32 (n, d) of records.

        Raises:
            InputError: a given vector that is missing, has another length, NaN or infinity; names the item.
        """
        if self.field is not None:
            return self._given(keys, records)
        assert self.encoder is not None
        return self.checked(self.encoder.encode(self.texts(records)).vectors, keys)

    def _given(self, keys: Sequence[str], records: Sequence[Mapping[str, Any]]) -> Float32:
        values = [record.get(self.field or "") for record in records]
        dimension = self.dimension
        for key, value in zip(keys, values, strict=True):
            if value is None or isinstance(value, (str, bytes)) or not hasattr(value, "__len__"):
                raise InputError(f"item {key!r}: field {self.field!r} holds no vector, and every item needs one")
            dimension = dimension or len(value)
            if len(value) != dimension:
                raise InputError(
                    f"item {key!r}: the vector in {self.field!r} has {len(value)} dimensions, the others {dimension}"
                )
        try:
            vectors = np.ascontiguousarray(values, dtype=np.float32).reshape(len(values), dimension)
        except (TypeError, ValueError):
            raise InputError(f"field {self.field!r} holds something else than numbers") from None
        return self.checked(vectors, keys)

    def checked(self, vectors: Float32, keys: Sequence[str]) -> Float32:
        """``vectors``, refused where they cannot be stored."""
        limit = LARGEST if self.precision == "float16" else 1e18 / max(vectors.shape[1], 1) ** 0.5
        with np.errstate(invalid="ignore"):
            bad = np.flatnonzero(~(np.abs(vectors) <= limit).all(axis=1))
        if bad.size:
            what = f"a value beyond {limit:,.3g}" if np.isfinite(vectors[bad[0]]).all() else "NaN or infinity"
            raise InputError(f"item {keys[bad[0]]!r}: its vector for sense {self.sense!r} holds {what}")
        return vectors


def rounding_loss(vectors: Float32) -> float:
    """The largest 1 - cosine between vectors and their float16 form.

    Examples:
        >>> 0 < rounding_loss(np.random.default_rng(0).standard_normal((10, 8)).astype(np.float32)) < 1e-6
        True
    """
    largest = 0.0
    for start in range(0, len(vectors), 1_024):
        exact = vectors[start : start + 1_024].astype(np.float64)
        rounded = exact.astype(np.float16).astype(np.float64)
        lengths = np.linalg.norm(exact, axis=1) * np.linalg.norm(rounded, axis=1)
        cosines = np.einsum("nd,nd->n", exact, rounded) / np.where(lengths > 0, lengths, 1.0)
        largest = max(largest, float(np.max(np.where(exact.any(axis=1), 1.0 - cosines, 0.0), initial=0.0)))
    return largest
