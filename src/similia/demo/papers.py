"""The tour over paper abstracts, where the data set is on this machine or can be had."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from similia.demo.pydocs import known_records, write_text
from similia.demo.subject import Gathered, OtherSense, Question, Subject
from similia.progress import bar

LIMIT = 1_500  # abstracts are long: about 50 a second are encoded for topic, 20 for the method

CLASSES = {
    "reasoning": ("chain of thought reasoning", "mathematical problem solving", "logical inference"),
    "agents": ("autonomous agents", "tool use", "planning and acting", "multi-agent systems"),
    "retrieval": ("retrieval-augmented generation", "search engine", "dense retrieval", "question answering"),
    "alignment and safety": ("safety alignment", "jailbreak attacks", "human preferences", "toxicity"),
    "evaluation": ("benchmark", "evaluation of language models", "annotation agreement"),
    "multilingual": ("low-resource languages", "machine translation", "cross-lingual transfer"),
    "speech and audio": ("speech recognition", "text to speech", "audio language model"),
    "vision": ("image and text", "vision-language model", "video understanding"),
    "efficiency": ("quantization", "inference acceleration", "pruning", "long context memory"),
    "medicine": ("clinical notes", "medical diagnosis", "biomedical text"),
    "code": ("code generation", "software engineering", "program repair"),
    "society": ("bias and fairness", "political opinions", "education", "law"),
}

QUESTIONS = (
    Question("Said in your own words", "do language models know when they are wrong"),
    Question("No word in common is needed", "who wrote this text, a person or a machine", mode="dense"),
    Question("With a filter", "translating between languages with little data", where="primary = 'cs.CL'"),
    Question("The most recent", "agents that use tools", where="date >= '2026-03-01'"),
    Question("In another sense: the method", "reinforcement learning from feedback", sense="method"),
)


def subject(limit: int = LIMIT) -> Subject:
    """The tour, over ``limit`` papers, evenly over the time that the data set covers."""
    return Subject(
        name="papers",
        title="A year of papers",
        unit="paper abstracts",
        group_name="arXiv categories",
        gather=lambda folder: gather(folder, limit),
        gathering="Read the abstracts",
        key="id",
        called="title",
        text=("title", "abstract"),
        schema={"id": "text", "date": "date", "month": "category", "primary": "category", "title": "text",
                "abstract": "text"},
        group="primary",
        kind="month",
        note=_note,
        other=OtherSense("method", ("abstract",), shown="title", about="the method that the paper proposes"),
        searching="Search: by what they are about, with a filter, by the method they use",
        questions=QUESTIONS,
        pairs=(),
        classes=CLASSES,
        apart="id",
        near=0.8,
    )  # fmt: skip


def _note(item: Mapping[str, Any]) -> str:
    return str(item.get("title", ""))


def gather(folder: Path, limit: int) -> Gathered:
    """Write papers to ``folder``, or reuse those of an earlier run with the same limit.

    Raises:
        DatasetMissing: the papers are not on this machine; says how to get them.
        OSError: the folder cannot be written.
    """
    from similia.evaluate import datasets

    path, memo = folder / "papers.jsonl", folder / "papers.json"
    wanted = {"limit": limit, "sha256": datasets.info("papers").sha256}
    known = known_records(memo, path)
    if known.get("wanted") == wanted:
        return Gathered(path, known["count"], known["lead"], reused=True)
    with bar("reading", unit="papers") as progress:
        records = []
        for record in datasets.records("papers"):
            records.append(record)
            progress.advance()
    ordered = sorted(records, key=lambda record: (str(record["date"]), str(record["id"])))
    count = min(limit, len(ordered))
    sample = [ordered[place * len(ordered) // count] for place in range(count)]
    chosen = [
        {
            "id": record["id"],
            "date": record["date"],
            "month": str(record["date"])[:7],
            "primary": record["primary"],
            "title": " ".join(str(record["title"]).split()),
            "abstract": " ".join(str(record["abstract"]).split()),
        }
        for record in sample
    ]
    write_text(path, "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in chosen))
    dates = f"{chosen[0]['date']} to {chosen[-1]['date']}"
    lead = f"{count:,} of {len(ordered):,} arXiv abstracts, {dates}, arranged by what they are about."
    write_text(memo, json.dumps({"wanted": wanted, "count": len(chosen), "lead": lead}))
    return Gathered(path, len(chosen), lead, reused=False)
