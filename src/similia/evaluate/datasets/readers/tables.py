"""Tables as text: the questions that were asked about them, how alike they are, what their columns mean."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Mapping
from typing import Any

from similia.evaluate.datasets.kinds import PairsDataset, RetrievalDataset
from similia.evaluate.datasets.places import Source
from similia.evaluate.datasets.readers.scored import scored
from similia.evaluate.datasets.smart import Qrels, assemble

FILES = {"train": "training.tsv", "seen": "pristine-seen-tables.tsv", "unseen": "pristine-unseen-tables.tsv"}


def wikitable_questions(name: str, source: Source, split: str) -> RetrievalDataset:
    """WikiTableQuestions: all 2,108 tables are the documents (`table_text`); that of a question is relevant to it."""
    files = {path: content.decode("utf-8") for path, content in source.files()}
    about = {row["contextId"]: row for row in _rows(files["misc/table-metadata.tsv"])}
    documents = [(path, table_text(files[path], about[path])) for path in sorted(about)]
    asked = _rows(next(content for path, content in files.items() if path.endswith(FILES[split])))
    qrels: Qrels = {row["id"]: {row["context"]: 1.0} for row in asked}
    return assemble(name, documents, [(row["id"], row["utterance"]) for row in asked], qrels)


def table_text(table: str, about: Mapping[str, str]) -> str:
    r"""A table as text: the page's title, the headings above it and its caption, the header, and each row on a line.

    Args:
        table: comma-separated, with quotes escaped by a backslash.
        about: ``title``, ``headers`` (headings, with bars between) and ``caption``.

    Examples:
        >>> print(table_text('"Year","Place"\n"1999","the \\"Hall\\""\n', {"title": "She", "headers": "Life|Work"}))
        She
        Life > Work
        Year | Place
        1999 | the "Hall"
    """
    headings = " > ".join(filter(None, about.get("headers", "").split("|")))
    cells = csv.reader(io.StringIO(table, newline=""), escapechar="\\", doublequote=False)
    return "\n".join(filter(None, [about["title"], headings, about.get("caption", ""), *map(_cells, cells)]))


def tabsim(name: str, source: Source, split: str) -> PairsDataset:
    """TabSim: pairs of tables, each its caption and a row on each line that follows.

    Its levels from 2 (alike) to 6 (unlike) become scores from 4 to 0. A split is a fold.
    """
    pairs = [json.loads(line) for line in next(source.files())[1].splitlines()]
    rows = (
        (
            _captioned(pair["caption_1"], pair["table_1"]),
            _captioned(pair["caption_2"], pair["table_2"]),
            6 - pair["level"],
        )
        for pair in pairs
        if split in ("all", f"fold{pair['fold']}")
    )
    return scored(name, rows, 0, 4)


def semtab_glossary(name: str, source: Source, split: str) -> RetrievalDataset:
    """SemTab: a column asks for its term in a glossary.

    A query is the header of the column, the name of the table, and the headers of all its columns, each on a line; a
    document is a term and its description.
    """
    files = {path.rsplit("/", 1)[-1]: content.decode("utf-8") for path, content in source.files()}
    terms, columns = (_json_lines(files, f"_{part}.jsonl") for part in ("glossary", "test_metadata"))
    documents = [(term["id"], f"{term['label']}\n{term.get('desc') or ''}".strip()) for term in terms]
    queries = [
        (column["id"], "\n".join((column["label"], column["table_name"], _cells(column["table_columns"]))))
        for column in columns
    ]
    qrels: Qrels = {}
    truth = next(content for file, content in files.items() if file.endswith("_GT.csv"))
    for column, term in csv.reader(io.StringIO(truth, newline="")):
        qrels.setdefault(column, {})[term] = 1.0
    return assemble(name, documents, queries, qrels)


def _json_lines(files: Mapping[str, str], end: str) -> list[dict[str, Any]]:
    content = next(content for file, content in files.items() if file.endswith(end))
    return [json.loads(line) for line in content.splitlines()]


def _captioned(caption: str, table: Iterable[Iterable[str]]) -> str:
    return "\n".join(filter(None, [" ".join(caption.split()), *map(_cells, table)]))


def _cells(row: Iterable[str]) -> str:
    return " | ".join(" ".join(cell.split()) for cell in row)


def _rows(content: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content, newline=""), delimiter="\t", quoting=csv.QUOTE_NONE))
