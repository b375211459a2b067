"""Compare: are two items alike, in which sense, how much, and why."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

import numpy as np

from similia.collection.definition import Definition
from similia.collection.showing import Sheet, cell, html_sheets, rich_sheets, text_sheets
from similia.collection.store import SenseRow
from similia.collection.tables import jsonable
from similia.collection.vectors import Vectors, normalised
from similia.collection.words import common, text_of
from similia.collection.workspace import State, Workspace
from similia.errors import FingerprintMismatch, ModelError
from similia.types import Float32

if TYPE_CHECKING:
    from rich.console import Group

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
class FieldComparison:
    """One field of two items: how its values compare.

    Attributes:
        kind: the field's type.
        a, b: the values, None where one is missing.
        similarity: 1 for equal; of lists and texts the share of entries or words in common (Jaccard), of numbers and
            dates None; 0 for different.
        note: the same in words.
    """

    kind: str
    a: Any
    b: Any
    similarity: float | None
    note: str


@dataclass(frozen=True)
class Comparison:
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

    def __rich__(self) -> Group:
        return rich_sheets(self._sheets())

    def __str__(self) -> str:
        return text_sheets(self._sheets())

    def _repr_html_(self) -> str:
        return html_sheets(self._sheets())


def compare(space: Workspace, a: object, b: object) -> Comparison:
    """See :meth:`similia.collection.Collection.compare`."""
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

    Example:
        >>> sentences("We rank. Then we fuse!\nResults follow")
        ['We rank.', 'Then we fuse!', 'Results follow']
    """
    parts = (" ".join(part.split()) for part in _SENTENCE.split(text[:50_000]))
    return [part for part in parts if _WORD.search(part)][:SENTENCES]


def alike(left: Sequence[str], right: Sequence[str], scores: Float32) -> list[tuple[str, str, float]]:
    """The best pairs of a score matrix (m, n), each row and column at most once, best first.

    Example:
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


def field_comparison(kind: str, a: Any, b: Any) -> FieldComparison:
    """How two values of a field of type ``kind`` compare.

    Example:
        >>> field_comparison("date", "2024-02-28", "2024-03-01").note
        '2 days apart'
        >>> field_comparison("list", ["x", "y"], ["y", "z"]).note
        'share 1 of 3: y'
        >>> field_comparison("integer", 3, 10).note
        '7 more'
    """
    similarity, note = _compared(kind, a, b)
    return FieldComparison(kind, a, b, similarity, note)


def _compared(kind: str, a: Any, b: Any) -> tuple[float | None, str]:
    if a is None or b is None:
        return (
            (None, "missing in both")
            if a is b
            else (None, "missing in the first" if a is None else "only in the first")
        )
    if a == b:
        return 1.0, "equal"
    compared = _TYPED.get(kind)
    if compared is not None:
        try:
            return compared(a, b)
        except (TypeError, ValueError, OverflowError):
            pass
    return 0.0, "different"


def _numbers(a: Any, b: Any) -> tuple[float | None, str]:
    if isinstance(a, bool) or isinstance(b, bool):
        raise TypeError
    difference = b - a
    if isinstance(difference, float) and not math.isfinite(difference):
        return None, "cannot be compared"
    return None, f"{abs(difference):,.6g} {'more' if difference > 0 else 'less'}"


def _dates(a: Any, b: Any) -> tuple[float | None, str]:
    days = abs((date.fromisoformat(b) - date.fromisoformat(a)).days)
    return None, f"{days:,} day{'s' if days != 1 else ''} apart"


def _moments(a: Any, b: Any) -> tuple[float | None, str]:
    seconds = abs((datetime.fromisoformat(b) - datetime.fromisoformat(a)).total_seconds())
    for name, size in (("days", 86_400), ("hours", 3_600), ("minutes", 60)):
        if seconds >= 2 * size:
            return None, f"{seconds / size:,.1f} {name} apart"
    return None, f"{seconds:,.6g} seconds apart"


def _lists(a: Any, b: Any) -> tuple[float | None, str]:
    left, right = (list(dict.fromkeys(str(entry) for entry in side)) for side in (a, b))
    shared, either = [entry for entry in left if entry in right], len(set(left) | set(right))
    if not either:
        return 1.0, "both empty"
    named = f": {', '.join(shared[:5])}" if shared else ""
    return len(shared) / either, f"share {len(shared)} of {either}{named}"


def _texts(a: Any, b: Any) -> tuple[float | None, str]:
    left, right = ({word.casefold() for word in _WORD.findall(str(side)[:100_000])} for side in (a, b))
    either = len(left | right)
    share = len(left & right) / either if either else 0.0
    return share, f"{share:.0%} of words in common"


def _vectors(a: Any, b: Any) -> tuple[float | None, str]:
    left, right = normalised(np.array([a, b], np.float32)).astype(np.float64)
    cosine = float(left @ right)
    return cosine, f"cosine {cosine:.3f}"


_TYPED: Mapping[str, Callable[[Any, Any], tuple[float | None, str]]] = {
    "integer": _numbers,
    "number": _numbers,
    "date": _dates,
    "datetime": _moments,
    "list": _lists,
    "text": _texts,
    "vector": _vectors,
}
