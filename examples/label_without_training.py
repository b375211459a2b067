"""Labels from descriptions of the classes, and how many of them are right."""

import tempfile
from pathlib import Path

import similia

here = Path(__file__).parent

with (
    tempfile.TemporaryDirectory() as folder,
    similia.Collection.open(Path(folder) / "papers", create=True) as papers,
):
    papers.add(here / "papers.jsonl", text=["title", "abstract"], key="id")
    labels = papers.label(here / "topics.txt")
    described = {"vision", "search", "matching", "recommendation", "classification"}
    truth = {item["_key"]: item["area"] for item in papers.get(list(labels.keys)) if item["area"] in described}
    right = sum(truth.get(key) == label for key, label in zip(labels.keys, labels.labels, strict=True))
    print(f"{right} of {len(truth)} papers of the described areas got their own area")
