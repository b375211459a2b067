"""Papers and programming tasks, one record each."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Any

from similia.evaluate.datasets.kinds import RecordsDataset
from similia.evaluate.datasets.places import Source


def papers(name: str, source: Source, split: str) -> RecordsDataset:
    """Paper abstracts as JSON lines: id, date, primary, categories, title, abstract, comment."""

    def read() -> Iterator[dict[str, Any]]:
        with source.single() as file:
            for line in file:
                yield json.loads(line)

    return RecordsDataset(name, source.path, read)


def archive(name: str, source: Source, split: str) -> RecordsDataset:
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


def keyphrases(name: str, source: Source, split: str) -> RecordsDataset:
    """Papers with keyphrases: ``id``, ``text`` (title and abstract, in one), ``keyphrases`` as people gave them."""

    def read() -> Iterator[dict[str, Any]]:
        files = {PurePosixPath(path): content.decode("utf-8-sig") for path, content in source.files()}
        for path in sorted(path for path in files if path.suffix == ".txt"):
            keys = files[path.parent.parent / "keys" / f"{path.stem}.key"]
            yield {
                "id": path.stem,
                "text": " ".join(files[path].split()),
                "keyphrases": list(dict.fromkeys(filter(None, (" ".join(line.split()) for line in keys.splitlines())))),
            }

    return RecordsDataset(name, source.path, read)


def humanevalpack(name: str, source: Source, split: str) -> RecordsDataset:
    """HumanEvalPack: 164 tasks of one language with a correct and a buggy solution, and tests."""

    def read() -> Iterator[dict[str, Any]]:
        for path, content in source.files():
            if path.startswith(f"{split}/"):
                yield from map(json.loads, content.splitlines())

    return RecordsDataset(name, source.path, read)
