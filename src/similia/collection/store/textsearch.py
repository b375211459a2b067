"""Asking the full text: the words of a query, in how many documents they stand, and the items that hold them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import apsw
import numpy as np

from similia.collection.store import meta
from similia.collection.store.fulltext import FOLD
from similia.collection.store.items import Filtered
from similia.collection.store.schema import SEARCHED
from similia.collection.store.sql import rows, scalar
from similia.collection.store.values import RESTORE
from similia.errors import CollectionDamaged, InputError
from similia.types import Hits

if TYPE_CHECKING:
    from similia.index.where import Predicate

_MOST_TERMS = 256
"""Of a longer query (a whole document) the rarest words are taken: FTS5 bounds the depth of an expression."""


def words(db: apsw.Connection, query: str) -> dict[str, str]:
    """Return the words of a query as the index sees them: stem -> folded word, in order of first appearance."""
    data = query.replace("\0", " ").encode(errors="replace")
    fold = db.fts5_tokenizer(FOLD[0], list(FOLD[1:]))
    stem = db.fts5_tokenizer("porter", list(FOLD))
    flags = apsw.FTS5_TOKENIZE_QUERY
    folded = fold(data, flags, None, include_offsets=False, include_colocated=False)
    stems = stem(data, flags, None, include_offsets=False, include_colocated=False)
    found: dict[str, str] = {}
    for stemmed, word in zip(stems, folded, strict=True):
        found.setdefault(str(stemmed), str(word))
    return found


@dataclass
class Statistics:
    """Document counts at one version of the collection; they are asked for again and again, and cost a scan each."""

    version: int = -1
    documents: int = 0
    frequencies: dict[tuple[str, tuple[int, ...]], int] = field(default_factory=dict)

    def frequency(self, db: apsw.Connection, stem: str, columns: tuple[int, ...]) -> int:
        """Return in how many documents a stem stands; with columns: in the one of them that has it most often."""
        key = (stem, columns)
        if key not in self.frequencies:
            if len(self.frequencies) > 100_000:
                self.frequencies.clear()
            if columns:
                names = ", ".join(f"'c{column}'" for column in columns)
                sql = f"SELECT max(doc) FROM column_terms WHERE term = ? AND col IN ({names})"  # noqa: S608
            else:
                sql = "SELECT doc FROM terms WHERE term = ?"
            self.frequencies[key] = int(scalar(db, sql, (stem,)) or 0)
        return self.frequencies[key]


def statistics(db: apsw.Connection, known: Statistics) -> Statistics:
    """Return the statistics of the state that the connection sees: ``known``, if it is of the same version."""
    version = int(meta.get(db, "version"))
    if known.version == version:
        return known
    return Statistics(version, int(scalar(db, "SELECT count(*) FROM items")))


def search(
    db: apsw.Connection,
    known: Statistics,
    query: str,
    k: int,
    fields: Sequence[str] | None,
    where: Predicate | None,
) -> Hits:
    """Find the k items that hold words of the query, best BM25 first, ties by id.

    BM25 gives a word that stands in half of all documents or more practically no weight (FTS5: 1e-6), but finding
    where it stands costs most. Such words are left out, and asked for on their own only when the others found fewer
    than k; what they find comes last.

    Args:
        db: a connection inside a transaction.
        known: document counts of the state that it sees.
        query: any text; nothing in it is an operator.
        k: the most hits.
        fields: to look in; None for all.
        where: a filter.

    Raises:
        InputError: k below 1, or a field without full text.
    """
    if k < 1:
        raise InputError(f"k is {k}; it must be at least 1")
    kept = Filtered(db, where)
    columns = _columns(kept, fields or ())
    if fields is not None and not columns:
        return Hits.empty(1, k)
    terms = words(db, query)
    counts = {stem: known.frequency(db, stem, columns) for stem in terms}
    chosen = sorted((stem for stem in terms if counts[stem]), key=lambda stem: counts[stem])[:_MOST_TERMS]
    rare = [terms[stem] for stem in chosen if 2 * counts[stem] < known.documents]
    common = [terms[stem] for stem in chosen if 2 * counts[stem] >= known.documents]
    sql = f"""SELECT fulltext.rowid, -bm25(fulltext) AS score FROM fulltext {kept.joins}
              WHERE fulltext MATCH ? AND ({kept.condition}) ORDER BY score DESC, fulltext.rowid LIMIT ?"""  # noqa: S608
    found = _scored(db, sql, (_match(rare, columns), *kept.bindings, k)) if rare else []
    if common and len(found) < k:
        match = _match(common, columns)
        if rare:
            match = f"({match}) NOT ({_match(rare, columns)})"
        ceiling = found[-1][1] if found else np.inf
        more = _scored(db, sql, (match, *kept.bindings, k - len(found)))
        found += [(number, min(score, ceiling)) for number, score in more]
    hits = Hits.empty(1, k)
    if found:
        hits.ids[0, : len(found)], hits.scores[0, : len(found)] = zip(*found, strict=True)
    return hits


def holds_all(db: apsw.Connection, words_: Sequence[str], fields: Sequence[str], where: Predicate | None) -> bool:
    """Return whether one item that passes the filter holds all of these words in these fields."""
    kept = Filtered(db, where)
    columns = _columns(kept, fields)
    if not columns or not words_:
        return False
    together = " AND ".join(f'"{word}"' for word in words_)
    match = f"{{{' '.join(f'c{column}' for column in columns)}}} : ({together})"
    sql = f"""SELECT EXISTS (SELECT 1 FROM fulltext {kept.joins}
              WHERE fulltext MATCH ? AND ({kept.condition}))"""  # noqa: S608 - our own column names
    return bool(scalar(db, sql, (match, *kept.bindings)))


def folded(query: str) -> list[str]:
    """Return the words of a query as the index sees them before they are stemmed, each once."""
    memory = apsw.Connection(":memory:")
    return list(dict.fromkeys(words(memory, query).values()))


def _scored(db: apsw.Connection, sql: str, bindings: tuple[Any, ...]) -> list[tuple[int, float]]:
    found = rows(db, sql, bindings)
    if any(score is None for _, score in found):
        raise CollectionDamaged(f"the full text lost its document counts; {RESTORE}")
    return [(number, score) for number, score in found]


def _match(words_: Sequence[str], columns: tuple[int, ...]) -> str:
    expression = " OR ".join(f'"{word}"' for word in words_)
    if columns:
        return f"{{{' '.join(f'c{column}' for column in columns)}}} : ({expression})"
    return expression


def _columns(kept: Filtered, names: Sequence[str]) -> tuple[int, ...]:
    columns = []
    for name in names:
        found = kept.field(name)
        if found.slot is None:
            searched = " or ".join(sorted(SEARCHED))
            raise InputError(f"field {name!r:.80} is of type {found.type}; words are searched in {searched} fields")
        columns.append(found.slot)
    return tuple(sorted(columns))
