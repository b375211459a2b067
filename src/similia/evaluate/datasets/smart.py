"""The classic test collections: SMART blocks (.I, .T, .W ...), and the slash-separated form of NPL."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping

from similia.evaluate.datasets.kinds import RetrievalDataset

MARK = re.compile(r"^\.([A-Z])(?:[ \t]+(\S+))?[ \t]*$")
Qrels = dict[str, dict[str, float]]


def blocks(text: str) -> Iterator[tuple[str, dict[str, str]]]:
    r"""Each block of a SMART file: the number after ``.I``, and field letter -> text with its lines joined.

    Examples:
        >>> list(blocks(".I 1\n.T\na title\n.W\nsome\nwords\n"))
        [('1', {'T': 'a title', 'W': 'some words'})]
    """
    number, letter, fields = "", "", dict[str, list[str]]()
    for line in text.splitlines():
        mark = MARK.match(line)
        if mark and mark[1] == "I" and mark[2]:
            if number:
                yield number, {key: " ".join(" ".join(lines).split()) for key, lines in fields.items()}
            number, letter, fields = mark[2].lstrip("0") or "0", "", {}
        elif mark and not mark[2]:
            letter = mark[1]
            fields.setdefault(letter, [])
        elif letter:
            fields[letter].append(line)
    if number:
        yield number, {key: " ".join(" ".join(lines).split()) for key, lines in fields.items()}


def document(fields: Mapping[str, str]) -> str:
    """Title and abstract of a block; Cranfield's abstracts begin with the title, which is not said twice."""
    title, body = fields.get("T", ""), fields.get("W", "")
    return body if body.startswith(title) else f"{title}\n{body}".strip()


def smart(
    name: str,
    files: Mapping[str, bytes],
    *,
    documents: str,
    queries: str,
    qrels: str,
    ordinal: bool = False,
    columns: tuple[int, int, int] = (0, 1, 2),
    grade: Callable[[float], float] = lambda _: 1.0,
) -> RetrievalDataset:
    """Read a collection of SMART files.

    Args:
        name: of the data set.
        files: file name -> content.
        documents: name of the file of documents.
        queries: name of the file of queries.
        qrels: name of the file of judgments, one a line.
        ordinal: whether judgments number the queries by their place in the file and not by their ``.I``.
        columns: at which word of a judgment the query, the document and the code stand; the code may be missing.
        grade: the code of a judgment -> the grade.
    """
    items = [(number, document(fields)) for number, fields in blocks(decoded(files[documents]))]
    asked = [(number, fields.get("W", "")) for number, fields in blocks(decoded(files[queries]))]
    if ordinal:
        asked = [(str(place), text) for place, (_, text) in enumerate(asked, start=1)]
    judged: Qrels = {}
    for line in decoded(files[qrels]).splitlines():
        if words := line.split():
            query, item = (words[place].lstrip("0") or "0" for place in columns[:2])
            judged.setdefault(query, {})[item] = grade(float(words[columns[2]]) if len(words) > columns[2] else 1.0)
    return assemble(name, items, asked, judged)


def npl(name: str, files: Mapping[str, bytes]) -> RetrievalDataset:
    """Read the NPL (Vaswani) collection: numbered blocks that end with a slash."""

    def numbered(content: bytes) -> Iterator[tuple[str, str]]:
        for block in re.split(r"^\s*/\s*$", decoded(content), flags=re.MULTILINE):
            number, _, text = block.strip().partition("\n")
            if number:
                yield number.strip(), " ".join(text.split())

    judged: Qrels = {query: dict.fromkeys(text.split(), 1.0) for query, text in numbered(files["rlv-ass"])}
    queries = [(number, text.lower()) for number, text in numbered(files["query-text"])]
    return assemble(name, list(numbered(files["doc-text"])), queries, judged)


def assemble(
    name: str, documents: list[tuple[str, str]], queries: list[tuple[str, str]], qrels: Qrels
) -> RetrievalDataset:
    """Put a collection together, leaving out queries for which no document is relevant."""
    known = {number for number, _ in documents}
    kept = {query: {item: g for item, g in grades.items() if item in known} for query, grades in qrels.items()}
    asked = [(number, text) for number, text in queries if any(g > 0 for g in kept.get(number, {}).values())]
    return RetrievalDataset(
        name=name,
        document_ids=tuple(number for number, _ in documents),
        documents=tuple(text for _, text in documents),
        query_ids=tuple(number for number, _ in asked),
        queries=tuple(text for _, text in asked),
        qrels={number: kept[number] for number, _ in asked},
    )


def decoded(content: bytes) -> str:
    """The text of a file in the alphabet of its time, with plain ends of lines."""
    return content.decode("latin-1").replace("\r\n", "\n")


def one_line(text: str | None) -> str:
    """A text with single spaces for all that separates its words; "" for None."""
    return " ".join((text or "").split())
