"""Spines of library books, as a camera read them, and the catalogue that they are in."""

from __future__ import annotations

import csv
import io
import lzma
from collections import defaultdict

from similia.evaluate.datasets.kinds import RetrievalDataset
from similia.evaluate.datasets.places import Source

FOLDER = "library_books"
PATTERNS = ("annotations_half_a.csv.xz", "catalogue.csv.xz")
SHA256 = "85c671148d0bd98bded677c7e3c1a9137140f999f4f74cb653bf502e8ebad0f7"
"""Of the two files, as they lie in the folder (`Source.digest`)."""


def library_books(name: str, source: Source, split: str) -> RetrievalDataset:
    """Library books: what was read of a spine asks for its record in the catalogue, by exact title and author.

    A document is a title, with the author on a second line where there is one. Spines of what is no book or is not in
    the catalogue are left out. Records of one title and author are all right, and so are all books of a spine that
    holds several.
    """
    tables = {path.rsplit("/", 1)[-1].removesuffix(".xz"): _rows(path, body) for path, body in source.files()}
    records = tables["catalogue.csv"]
    same: dict[tuple[str, str], list[str]] = defaultdict(list)
    for number, record in enumerate(records):
        same[_key(record)].append(str(number))
    texts: dict[str, str] = {}
    qrels: dict[str, dict[str, float]] = {}
    for spine in tables["annotations_half_a.csv"]:
        text = " ".join(spine["ocr"].split())
        if text and (found := same.get(_key(spine))):
            key = f"{spine['image_name']}#{spine['mask_id']}"
            texts[key] = text
            qrels.setdefault(key, {}).update(dict.fromkeys(found, 1.0))
    return RetrievalDataset(
        name,
        tuple(str(number) for number in range(len(records))),
        tuple("\n".join(filter(None, _key(record, fold=False))) for record in records),
        tuple(texts),
        tuple(texts.values()),
        qrels,
    )


def _key(row: dict[str, str], *, fold: bool = True) -> tuple[str, str]:
    title, author = (" ".join(row[field].split()) for field in ("title", "author"))
    return (title.casefold(), author.casefold()) if fold else (title, author)


def _rows(path: str, body: bytes) -> list[dict[str, str]]:
    content = lzma.decompress(body) if path.endswith(".xz") else body
    return list(csv.DictReader(io.StringIO(content.decode("utf-8"), newline="")))
