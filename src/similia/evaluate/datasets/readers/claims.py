"""Claims, and the fact-checks or rows of a table that tell whether they hold."""

from __future__ import annotations

import csv
import io
import json

from similia.evaluate.datasets.kinds import RetrievalDataset
from similia.evaluate.datasets.places import Source
from similia.evaluate.datasets.smart import Qrels, assemble, one_line


def fact_checks(name: str, source: Source, split: str) -> RetrievalDataset:
    """Claims and the statements that fact-checks are about, as they were said where that is known.

    The judgments name a fact-check by its text without stop words; statements that are equal are one document.
    """
    files = {path.rsplit("/", 1)[-1]: content.decode("utf-8") for path, content in source.files()}
    facts = [",".join(row) for row in _rows(_only(files, "facts.csv"))]
    said = (
        json.loads(_only(files, "original_text.json"))
        if any(f.endswith("original_text.json") for f in files)
        else facts
    )
    documents: dict[str, str] = {}
    named: dict[str, dict[str, float]] = {}
    for number, (fact, text) in enumerate(zip(facts, map(one_line, said), strict=True), start=1):
        named.setdefault(fact, {})[documents.setdefault(text, f"f{number}")] = 1.0
    return _collection(name, json.loads(_only(files, "GT.json")), documents, named)


def corona(name: str, source: Source, split: str) -> RetrievalDataset:
    """Claims on the pandemic, and the rows of a table of countries by kind of number and month.

    A row is its cells with spaces between. ``user`` are the claims of people, ``generated`` those made from rows.
    """
    files = {path.rsplit("/", 1)[-1]: content.decode("utf-8") for path, content in source.files()}
    rows = [" ".join(row) for row in _rows(files["corona_tables.csv"], quote="|")]
    documents = {row: f"r{number}" for number, row in enumerate(rows, start=1)}
    people = {line[1:-1] for line in files["claims_USR.csv"].splitlines()}
    truth: dict[str, list[str]] = json.loads(files["corona_GT.json"])
    chosen = {claim: relevant for claim, relevant in truth.items() if (claim in people) == (split == "user")}
    return _collection(name, chosen, documents, {row: {item: 1.0} for row, item in documents.items()})


def _collection(
    name: str, truth: dict[str, list[str]], documents: dict[str, str], named: dict[str, dict[str, float]]
) -> RetrievalDataset:
    queries = [(f"c{number}", claim) for number, claim in enumerate(truth, start=1)]
    qrels: Qrels = {}
    for (query, _), relevant in zip(queries, truth.values(), strict=True):
        qrels[query] = {item: grade for fact in relevant for item, grade in named.get(fact, {}).items()}
    return assemble(
        name, [(item, text) for text, item in documents.items()], [(q, one_line(text)) for q, text in queries], qrels
    )


def _only(files: dict[str, str], end: str) -> str:
    return next(content for file, content in files.items() if file.endswith(end))


def _rows(content: str, quote: str = '"') -> list[list[str]]:
    return [row for row in csv.reader(io.StringIO(content, newline=""), quotechar=quote) if row]
