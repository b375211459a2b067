"""A collection, a search with a filter, an item's neighbours, and the reason for each hit."""

import tempfile
from pathlib import Path

import similia

here = Path(__file__).parent

with (
    tempfile.TemporaryDirectory() as folder,
    similia.Collection.open(Path(folder) / "papers", create=True) as papers,
):
    report = papers.add(here / "papers.jsonl", text=["title", "abstract"], key="id")
    print(f"{report.added} papers with the fields {', '.join(papers.fields)}")

    results = papers.search("who wrote the same thing under another name", where="date >= '2024-01-01'", k=3)
    for hit in results:
        print(f"{hit.score:.3f}  {hit.key:<18} {hit.item['title']}")

    for hit in papers.similar("audio-01", k=3):
        print(f"like audio-01: {hit.key:<18} {hit.item['title']}")

    comparison = papers.compare("matching-01", "graphs-02")
    topic = comparison.senses["topic"]
    print(f"cosine {topic.similarity:.2f}: more alike than {topic.percentile:.0f} % of pairs")
