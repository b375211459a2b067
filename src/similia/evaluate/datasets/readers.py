"""How each data set that has a form of its own is read."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator
from typing import Any
from xml.etree import ElementTree

import numpy as np

from similia.evaluate.datasets.kinds import RecordsDataset, RetrievalDataset, TextClassificationDataset
from similia.evaluate.datasets.places import Source
from similia.evaluate.datasets.smart import assemble, npl, smart

AG_CLASSES = ("World", "Sports", "Business", "Sci/Tech")


def adi(name: str, source: Source, split: str) -> RetrievalDataset:
    """ADI: 82 documents on information science."""
    return smart(name, dict(source.files()), documents="ADI.ALL", queries="ADI.QRY", qrels="ADI.REL")


def cacm(name: str, source: Source, split: str) -> RetrievalDataset:
    """CACM: titles, half of them with an abstract."""
    return smart(name, dict(source.files()), documents="cacm.all", queries="query.text", qrels="qrels.text")


def cisi(name: str, source: Source, split: str) -> RetrievalDataset:
    """CISI: abstracts on information science, long queries."""
    return smart(name, dict(source.files()), documents="CISI.ALL", queries="CISI.QRY", qrels="CISI.REL")


def cranfield(name: str, source: Source, split: str) -> RetrievalDataset:
    """Cranfield: codes 1 (complete answer) to 4 (minimum interest) become grades 4 to 1.

    Code -1 marks the paper whose author asked the question; it counts as not relevant, as in trec_eval.
    """
    return smart(
        name,
        dict(source.files()),
        documents="cran.all.1400",
        queries="cran.qry",
        qrels="cran.qrels",
        ordinal=True,
        grade=lambda code: 5.0 - code if code > 0 else 0.0,
    )


def vaswani(name: str, source: Source, split: str) -> RetrievalDataset:
    """NPL, also known as Vaswani: short abstracts on electronics."""
    return npl(name, dict(source.files()))


def nfcorpus(name: str, source: Source, split: str) -> RetrievalDataset:
    """NFCorpus: all query titles, judgments of three levels (2 direct, 1 indirect link)."""
    files = {name.rsplit("/", 1)[-1]: content.decode("utf-8").split("\n") for name, content in source.files()}

    def rows(file: str) -> list[tuple[str, str]]:
        return [(key, text) for key, text in (line.rstrip("\r").split("\t", 1) for line in files[file] if line)]

    qrels: dict[str, dict[str, float]] = {}
    for line in filter(None, files["s-3.qrel"]):
        query, _, item, grade = line.split("\t")
        qrels.setdefault(query, {})[item] = float(grade)
    return assemble(name, rows("d-collection.docs"), rows("q-titles.queries"), qrels)


def limit_small(name: str, source: Source, split: str) -> RetrievalDataset:
    """LIMIT-small: every pair of 46 documents is the answer to some query."""
    files = {path.rsplit("/", 1)[-1]: [json.loads(line) for line in body.splitlines()] for path, body in source.files()}
    qrels: dict[str, dict[str, float]] = {}
    for row in files["qrels.jsonl"]:
        qrels.setdefault(row["query-id"], {})[row["corpus-id"]] = float(row["score"])
    documents = [(row["_id"], f"{row['title']}\n{row['text']}".strip()) for row in files["corpus.jsonl"]]
    return assemble(name, documents, [(row["_id"], row["text"]) for row in files["queries.jsonl"]], qrels)


def medquad(name: str, source: Source, split: str) -> RetrievalDataset:
    """MedQuAD: answers are the documents; a question's own answer is relevant, those of its equals too."""
    documents: list[tuple[str, str]] = []
    asked: dict[str, str] = {}
    qrels: dict[str, dict[str, float]] = {}
    for path, content in source.files():
        root = ElementTree.fromstring(content)  # noqa: S314 (the file's checksum was verified)
        for number, pair in enumerate(root.iter("QAPair"), start=1):
            question, answer = pair.find("Question"), " ".join((pair.findtext("Answer") or "").split())
            text = " ".join((question.text or "").split()) if question is not None else ""
            if question is None or not answer or not text:
                continue
            key = f"{path.removesuffix('.xml')}#{number}"
            documents.append((key, answer))
            qrels.setdefault(asked.setdefault(text, key), {})[key] = 1.0
    return assemble(name, documents, [(key, text) for text, key in asked.items()], qrels)


def ag_news(name: str, source: Source, split: str) -> TextClassificationDataset:
    """AG News: title and description as one text."""
    rows = list(csv.reader(io.StringIO(next(source.files())[1].decode("utf-8"))))
    texts = tuple(re.sub(r"[\s\\]+", " ", f"{title}. {body}").strip() for _, title, body in rows)
    return TextClassificationDataset(name, texts, np.array([int(row[0]) - 1 for row in rows]), AG_CLASSES)


def papers(name: str, source: Source, split: str) -> RecordsDataset:
    """Paper abstracts as JSON lines: id, date, primary, categories, title, abstract, comment."""

    def read() -> Iterator[dict[str, Any]]:
        with source.single() as file:
            for line in file:
                yield json.loads(line)

    return RecordsDataset(name, source.path, read)


def papers_ir(name: str, source: Source, split: str) -> RecordsDataset:
    """Paper abstracts as a table: the fields of ``papers``, and authors."""

    def read() -> Iterator[dict[str, Any]]:
        with source.single() as file, io.TextIOWrapper(file, "utf-8", newline="") as text:
            for row in csv.DictReader(text, delimiter="\t"):
                yield {
                    "id": row["arxiv_id"],
                    "date": row["created"],
                    "primary": row["primary_cat"],
                    "categories": row["categories"].split(","),
                    "title": " ".join(row["title"].split()),
                    "abstract": " ".join(row["abstract"].split()),
                    "authors": row["author_text"],
                    "comment": row["comments"] or None,
                }

    return RecordsDataset(name, source.path, read)


def humanevalpack(name: str, source: Source, split: str) -> RecordsDataset:
    """HumanEvalPack: 164 tasks of one language with a correct and a buggy solution, and tests."""

    def read() -> Iterator[dict[str, Any]]:
        for path, content in source.files():
            if path.startswith(f"{split}/"):
                yield from map(json.loads, content.splitlines())

    return RecordsDataset(name, source.path, read)
