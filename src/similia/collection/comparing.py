"""Compare: are two items alike, in which sense, how much, and why."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from similia.collection.definition import Definition
from similia.collection.fieldwise import FieldComparison, field_comparison
from similia.collection.showing import Sheet, Shown, cell
from similia.collection.store import SenseRow
from similia.collection.tables import jsonable
from similia.collection.vectors import Vectors, normalised
from similia.collection.words import common, text_of
from similia.collection.workspace import State, Workspace
from similia.errors import FingerprintMismatch, ModelError
from similia.types import Float32

PAIRS = 10_000
SEED = 0
SENTENCES = 48
PHRASES = 3
TERMS = 12
_SENTENCE = re.compile(r"(?<=[.!?…])\s+(?=[^a-z\s])|\n+|(?<=[。！？])")
_WORD = re.compile(r"[^\W_]+")


@dataclass(frozen=True)
class SenseComparison:
    """How alike two items are in one sense.

    Attributes:
        similarity: cosine, -1 to 1.
        percentile: the share of random pairs of the collection that are less alike, 0 to 100; NaN where the two are
            all there is.
        phrases: the sentences (or lines) that are most alike, (of a, of b, cosine), best first.
        note: why there are no phrases, or "".
    """

    similarity: float
    percentile: float
    phrases: list[tuple[str, str, float]]
    note: str = ""


@dataclass(frozen=True)
class Comparison(Shown):
    """Two items side by side.

    Attributes:
        a, b: their keys.
        senses: sense -> how alike they are in it.
        fields: field -> how its values compare.
        shared_terms: words that both use with their inverse document frequency, rarest first.
    """

    a: str
    b: str
    senses: dict[str, SenseComparison]
    fields: dict[str, FieldComparison]
    shared_terms: list[tuple[str, float]]

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON."""
        return {
            "a": self.a,
            "b": self.b,
            "senses": {name: jsonable(vars(sense)) for name, sense in self.senses.items()},
            "fields": {name: jsonable(vars(field)) for name, field in self.fields.items()},
            "shared_terms": jsonable(self.shared_terms),
        }

    def _sheets(self) -> list[Sheet]:
        senses = [
            [name, f"{sense.similarity:.3f}", "" if math.isnan(sense.percentile) else f"{sense.percentile:.1f} %"]
            for name, sense in self.senses.items()
        ]
        title = f"{self.a} and {self.b}"
        sheets = [Sheet(("sense", "cosine#", "more alike than#"), senses, title)]
        for name, sense in self.senses.items():
            rows = [[f"{score:.3f}", one, other] for one, other, score in sense.phrases]
            if rows or sense.note:
                sheets.append(Sheet(("cosine#", self.a, self.b) if rows else (), rows, f"why in {name}", sense.note))
        fields = [[name, field.note, cell(field.a, 120), cell(field.b, 120)] for name, field in self.fields.items()]
        words = ", ".join(f"{word} {weight:.1f}" for word, weight in self.shared_terms)
        note = f"shared words (by rarity): {words}" if words else "no shared words"
        return [*sheets, Sheet(("field", "", self.a, self.b), fields, note=note)]


def compare(space: Workspace, a: object, b: object) -> Comparison:
    """See `similia.collection.Collection.compare`."""
    with space.reading() as state:
        ids = state.ids([a, b])
        left, right = state.store.records(ids)
        senses, read = {}, []
        for name, row in state.senses.items():
            definition = Definition.read(row.definition)
            read += [field for field in definition.searched(state.fields) if field not in read]
            if row.state == "ready":
                senses[name] = _in_sense(state, row, definition, ids, (left, right))
        shared = common(state, text_of(left, read), text_of(right, read), TERMS) if read else []
        fields = {
            name: field_comparison(kind, left.get(name), right.get(name))
            for name, kind in state.fields.items()
            if name in left or name in right
        }
    return Comparison(str(a), str(b), senses, fields, shared)


def _in_sense(
    state: State, row: SenseRow, definition: Definition, ids: Any, records: tuple[dict[str, Any], dict[str, Any]]
) -> SenseComparison:
    vectors = state.vectors(row)
    pair = normalised(vectors.of(ids)).astype(np.float64)
    similarity = float(np.clip(pair[0] @ pair[1], -1, 1))
    phrases: list[tuple[str, str, float]] = []
    note = ""
    try:
        encoder = state.space.encoder_of(row)
        if encoder is None:
            note = "its vectors were given, so there is no encoder to compare sentences with"
        else:
            parts = [sentences(text_of(record, definition.fields)) for record in records]
            if all(parts):
                encoded = normalised(encoder.encode(parts[0] + parts[1]).vectors)
                phrases = alike(parts[0], parts[1], encoded[: len(parts[0])] @ encoded[len(parts[0]) :].T)
    except (FingerprintMismatch, ModelError) as error:
        note = str(error)
    return SenseComparison(
        similarity, _percentile(state, row, vectors, similarity, bool(ids[0] == ids[1])), phrases, note
    )


def _percentile(state: State, row: SenseRow, vectors: Vectors, similarity: float, same: bool) -> float:
    """The share of other pairs that are less alike; pairs are all there are, or a sample with a fixed seed."""
    kept = state.space.remembered(("pairs", row.id, vectors.version))
    if kept is None:
        kept = random_pairs(vectors)
        state.space.remember(("pairs", row.id, vectors.version), kept)
    scores, every = kept
    others = scores.size - (1 if every and not same else 0)
    if others < 1:
        return math.nan
    slack = 1e-6  # the pair itself, among all, must not count as less alike than itself
    return float(min(100.0, 100.0 * np.searchsorted(scores, similarity - slack, side="left") / others))


def random_pairs(vectors: Vectors) -> tuple[Float32, bool]:
    """Cosines of pairs of different items, ascending; and whether these are all pairs."""
    ids, rows = vectors.all()
    n = ids.size
    if n * (n - 1) // 2 <= PAIRS:
        left, right = np.triu_indices(n, 1)
    else:
        rng = np.random.default_rng(SEED)
        left, step = rng.integers(0, n, PAIRS), rng.integers(1, n, PAIRS)
        right = (left + step) % n
    scores = np.empty(left.size, np.float32)
    for start in range(0, left.size, 2_048):
        part = slice(start, start + 2_048)
        scores[part] = np.einsum("nd,nd->n", normalised(rows[left[part]]), normalised(rows[right[part]]))
    return np.sort(scores), bool(n * (n - 1) // 2 <= PAIRS)


def sentences(text: str) -> list[str]:
    r"""The sentences or lines of a text, the first ``SENTENCES`` of them.

    Examples:
        >>> sentences("We rank. Then we fuse!\nResults follow")
        ['We rank.', 'Then we fuse!', 'Results follow']
    """
    parts = (" ".join(part.split()) for part in _SENTENCE.split(text[:50_000]))
    return [part for part in parts if _WORD.search(part)][:SENTENCES]


def alike(left: Sequence[str], right: Sequence[str], scores: Float32) -> list[tuple[str, str, float]]:
    """The best pairs of a score matrix (m, n), each row and column at most once, best first.

    Examples:
        >>> alike(["a", "b"], ["c", "d"], np.array([[1.0, 0.8], [0.7, 0.5]], np.float32))
        [('a', 'c', 1.0), ('b', 'd', 0.5)]
    """
    scores = scores.copy()
    pairs = []
    for _ in range(min(PHRASES, *scores.shape)):
        row, column = divmod(int(np.argmax(scores)), scores.shape[1])
        pairs.append((left[row], right[column], float(scores[row, column])))
        scores[row, :] = scores[:, column] = -np.inf
    return pairs
