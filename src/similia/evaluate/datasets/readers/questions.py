"""Questions and what answers them: candidate sentences, threads of answers, functions, LIMIT."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable
from typing import Any

from similia.evaluate.datasets.kinds import RetrievalDataset
from similia.evaluate.datasets.places import Source
from similia.evaluate.datasets.smart import Qrels, assemble, one_line


def trecqa(name: str, source: Source, split: str) -> RetrievalDataset:
    """TREC QA: the sentences of all questions of the split are the documents, each once.

    The candidates of a question are those with a grade, 1 where the sentence answers it and 0 where not.
    """
    content = next(content for path, content in source.files() if path.endswith(f"/{split}.csv"))
    rows = csv.DictReader(io.StringIO(content.decode("utf-8"), newline=""))
    return labelled(name, ((row["qtext"], row["atext"], float(row["label"])) for row in rows))


def cosqa(name: str, source: Source, split: str) -> RetrievalDataset:
    """CoSQA: the functions of all queries are the documents, each once; grade 1 where the function answers the query.

    Queries none of whose functions answers them are left out; their functions remain.
    """
    rows = json.loads(next(source.files())[1])
    return labelled(name, ((row["doc"], row["code"], float(row["label"])) for row in rows))


def labelled(name: str, rows: Iterable[tuple[str, str, float]]) -> RetrievalDataset:
    """Labelled pairs of query and document as a collection: equal texts are one, of two labels the higher counts.

    Examples:
        >>> found = labelled("few", [("who?", "she", 1.0), ("who?", "then", 0.0), ("when?", "then", 1.0)])
        >>> found.documents, found.qrels
        (('she', 'then'), {'q1': {'d1': 1.0, 'd2': 0.0}, 'q2': {'d2': 1.0}})
    """
    queries: dict[str, str] = {}
    documents: dict[str, str] = {}
    qrels: Qrels = {}
    for query, document, label in rows:
        asked = queries.setdefault(query, f"q{len(queries) + 1}")
        item = documents.setdefault(document, f"d{len(documents) + 1}")
        grades = qrels.setdefault(asked, {})
        grades[item] = max(label, grades.get(item, label))
    return assemble(
        name, [(i, text) for text, i in documents.items()], [(i, text) for text, i in queries.items()], qrels
    )


def stackfaq(name: str, source: Source, split: str) -> RetrievalDataset:
    """StackFAQ: a thread is one document, its question on the first line and an answer on each that follows.

    Its paraphrases are the queries. The list of them is cut in two by an asterisk, which is no query.
    """
    threads = json.loads(next(source.files())[1])["root"]["qapair"]
    documents: list[tuple[str, str]] = []
    queries: list[tuple[str, str]] = []
    qrels: Qrels = {}
    for number, thread in enumerate(threads, start=1):
        answers = [thread["answer"]] if isinstance(thread["answer"], str) else thread["answer"]
        documents.append((f"f{number}", "\n".join(map(one_line, (thread["question"], *answers)))))
        for place, text in enumerate(thread["rephr"], start=1):
            if text and text != "*":
                queries.append((f"f{number}-{place}", one_line(text)))
                qrels[f"f{number}-{place}"] = {f"f{number}": 1.0}
    return assemble(name, documents, queries, qrels)


def covidfaq(name: str, source: Source, split: str) -> RetrievalDataset:
    """CovidFAQ: a question with its answer on the next line is one document; what users asked are the queries.

    Every document with the very answer that a user's question is given is relevant. Lines of label 0 say that an
    answer does not fit, and are left out.
    """
    rows: list[dict[str, Any]] = [row for _, content in source.files() for row in json.loads(content)]
    rows = [row for row in rows if str(row.get("label", 1)) not in ("0", "0.0")]
    faq = {(one_line(row["question"]), one_line(row["answer"])): "" for row in rows if row["query_type"] == "faq"}
    documents = {pair: f"f{number}" for number, pair in enumerate(faq, start=1)}
    queries: dict[str, str] = {}
    qrels: Qrels = {}
    for row in rows:
        if row["query_type"] == "user_query":
            asked = queries.setdefault(one_line(row["question"]), f"u{len(queries) + 1}")
            answer = one_line(row["answer"])
            found = {item: 1.0 for (_, text), item in documents.items() if text == answer}
            qrels.setdefault(asked, {}).update(found)
    items = [(item, "\n".join(pair)) for pair, item in documents.items()]
    return assemble(name, items, [(asked, text) for text, asked in queries.items()], qrels)


def limit_small(name: str, source: Source, split: str) -> RetrievalDataset:
    """LIMIT-small: every pair of 46 documents is the answer to some query."""
    files = {path.rsplit("/", 1)[-1]: [json.loads(line) for line in body.splitlines()] for path, body in source.files()}
    qrels: Qrels = {}
    for row in files["qrels.jsonl"]:
        qrels.setdefault(row["query-id"], {})[row["corpus-id"]] = float(row["score"])
    documents = [(row["_id"], f"{row['title']}\n{row['text']}".strip()) for row in files["corpus.jsonl"]]
    return assemble(name, documents, [(row["_id"], row["text"]) for row in files["queries.jsonl"]], qrels)
