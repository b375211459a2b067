"""Whether the full text holds the words of the items: all of them counted, and some items compared word by word."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import apsw

from similia.collection.store import fulltext
from similia.collection.store.scan import record_batches
from similia.collection.store.schema import StoredField
from similia.collection.store.sql import scalar
from similia.collection.store.values import load_record, text_values
from similia.errors import CollectionDamaged

_SAMPLED = 500
_LONGEST = 32_768  # bytes of a word; FTS5 cuts off the rest
Words = set[tuple[Any, ...]]
"""column, place and stem of each word"""


def faults(db: apsw.Connection, fields: Mapping[str, StoredField]) -> list[str]:
    """Return what is wrong with the index, [] if nothing is.

    Compared are the items with those that are indexed, the number of words that the index holds with the numbers that
    it noted for each item and in all, and for about 500 items spread evenly every word, by field and place, with the
    words of the record.
    """
    missing = scalar(db, "SELECT count(*) FROM items WHERE id NOT IN (SELECT id FROM fulltext_docsize)")
    stray = scalar(db, "SELECT count(*) FROM fulltext_docsize WHERE id NOT IN (SELECT id FROM items)")
    found = [f"{missing:,} items are not indexed"] if missing else []
    found += [f"{stray:,} items are indexed and not there"] if stray else []
    counted = scalar(db, "SELECT ifnull(sum(cnt), 0) FROM terms")
    totals = [0] * fulltext.slots(db)
    documents = 0
    for (lengths,) in db.execute("SELECT sz FROM fulltext_docsize"):
        documents += 1
        totals = [total + length for total, length in zip(totals, varints(lengths), strict=True)]
    if counted != sum(totals):
        found.append(f"the index holds {counted:,} words instead of {sum(totals):,}")
    averages = varints(scalar(db, "SELECT block FROM fulltext_data WHERE id = 1") or b"")
    if documents and averages != [documents, *totals]:
        found.append("the index has lost count of documents and words, which scores depend on")
    if not found:
        found = _sampled(db, fields)
    return found


def _sampled(db: apsw.Connection, fields: Mapping[str, StoredField]) -> list[str]:
    total = scalar(db, "SELECT count(*) FROM items")
    step = max(1, total // _SAMPLED)
    condition = f"i.id % {step} = 0"  # numbers are given in the order of arrival: this spreads over the collection
    expected: dict[int, Words] = {}
    keys: dict[int, str] = {}
    for batch in record_batches(db, condition=condition):
        for number, key, stored, text in batch:
            keys[number] = key
            with suppress(CollectionDamaged, ValueError):  # said elsewhere
                expected[number] = _words(db, fields, load_record(text, stored, key))
    indexed: dict[int, Words] = {number: set() for number in expected}
    instances = f"SELECT doc, col, offset, CAST(term AS BLOB) FROM instances WHERE doc % {step} = 0"  # noqa: S608 - a number
    for number, *word in db.execute(instances):
        if number in indexed:
            indexed[number].add(tuple(word))
    return [
        f"the words of item {keys[number]!r:.80} are not those of its record"
        for number in expected
        if expected[number] != indexed[number]
    ]


def _words(db: apsw.Connection, fields: Mapping[str, StoredField], record: Mapping[str, Any]) -> Words:
    stem = db.fts5_tokenizer("porter", list(fulltext.FOLD))
    found: Words = set()
    for field in fields.values():
        content = text_values([record.get(field.name)])[0] if field.slot is not None else None
        if content is not None:
            data = content.encode()
            flags = apsw.FTS5_TOKENIZE_DOCUMENT
            tokens = stem(data, flags, None, include_offsets=False, include_colocated=False)
            found |= {(f"c{field.slot}", place, str(token).encode()[:_LONGEST]) for place, token in enumerate(tokens)}
    return found


def varints(data: bytes) -> list[int]:
    """Return the numbers of a sequence of SQLite varints.

    Examples:
        >>> varints(bytes([3, 0x81, 0x00]))
        [3, 128]
    """
    numbers = []
    value = 0
    for byte in data:
        value = value << 7 | byte & 0x7F
        if byte < 0x80:
            numbers.append(value)
            value = 0
    return numbers
