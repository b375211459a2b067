"""MedQuAD: medical questions and answers from pages of the NIH, as a collection and as records; judged answers."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from typing import Any
from xml.etree import ElementTree

from similia.evaluate.datasets.kinds import RecordsDataset, RetrievalDataset
from similia.evaluate.datasets.places import Source
from similia.evaluate.datasets.smart import Qrels, assemble, one_line


def medquad(name: str, source: Source, split: str) -> RetrievalDataset:
    """MedQuAD: answers are the documents; a question's own answer is relevant, those of its equals too."""
    documents: list[tuple[str, str]] = []
    asked: dict[str, str] = {}
    qrels: Qrels = {}
    for pair in _pairs(source):
        documents.append((pair["id"], pair["answer"]))
        qrels.setdefault(asked.setdefault(pair["question"], pair["id"]), {})[pair["id"]] = 1.0
    return assemble(name, documents, [(key, text) for text, key in asked.items()], qrels)


def medquad_pairs(name: str, source: Source, split: str) -> RecordsDataset:
    """MedQuAD's pairs, one a record, in the order of ``medquad``.

    Fields: ``id`` (that of the answer in ``medquad``), ``document`` (the page), ``source`` (the site), ``focus`` (what
    the page is about; empty where it does not say), ``group`` (its semantic group in UMLS, or None), ``kind`` (of
    question, such as "treatment"), ``question``, ``answer``.
    """
    return RecordsDataset(name, source.path, lambda: _pairs(source))


def _pairs(source: Source) -> Iterator[dict[str, Any]]:
    for path, content in source.files():
        root = ElementTree.fromstring(content)  # noqa: S314 (the file's checksum was verified)
        page = path.removesuffix(".xml")
        for number, pair in enumerate(root.iter("QAPair"), start=1):
            question, answer = pair.find("Question"), one_line(pair.findtext("Answer"))
            text = "" if question is None else one_line(question.text)
            if question is not None and text and answer:
                yield {
                    "id": f"{page}#{number}",
                    "document": page,
                    "source": page.split("/")[0],
                    "focus": one_line(root.findtext("Focus")),
                    "group": root.findtext("FocusAnnotations/UMLS/SemanticGroup"),
                    "kind": question.get("qtype"),
                    "question": text,
                    "answer": answer,
                }


def liveqa(name: str, source: Source, split: str) -> RecordsDataset:
    """Judged answers to the questions of LiveQA 2017: ``query``, ``id`` of the answer, ``answer``, ``grade`` 1 to 4."""

    def read() -> Iterator[dict[str, Any]]:
        files = {path.rsplit(".", 1)[-1]: content.decode("utf-8-sig") for path, content in source.files()}
        answers = {row[0]: row[1] for row in csv.reader(io.StringIO(files["csv"], newline="")) if len(row) > 1}
        for line in filter(str.strip, files["txt"].splitlines()):
            query, judgment, item = line.split()
            yield {"query": query, "id": item, "answer": answers[item], "grade": int(judgment.split("-")[0])}

    return RecordsDataset(name, source.path, read)
