"""Two senses of one collection: what a paper is about, and how it goes about it."""

import tempfile
from pathlib import Path

import similia

here = Path(__file__).parent

with (
    tempfile.TemporaryDirectory() as folder,
    similia.Collection.open(Path(folder) / "papers", create=True) as papers,
):
    papers.add(here / "papers.jsonl", text=["title", "abstract"], key="id")
    papers.senses.add("method", text=["abstract"], about="the method that the paper proposes")

    for sense in papers.senses:
        nearest = papers.similar("recommend-01", sense=sense, k=3)
        print(f"{sense:<8}", *(hit.key for hit in nearest))
