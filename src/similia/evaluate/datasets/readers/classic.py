"""The classic test collections, and NFCorpus."""

from __future__ import annotations

import re
from collections.abc import Iterator

from similia.errors import InputError
from similia.evaluate.datasets.kinds import RetrievalDataset
from similia.evaluate.datasets.places import Source
from similia.evaluate.datasets.smart import Qrels, assemble, decoded, npl, one_line, smart

LISA_HEAD = re.compile(r"^Document[ \t]+(\d+)[ \t]*$", re.MULTILINE)
LISA_END = re.compile(r"^\*+[ \t]*$", re.MULTILINE)
LISA_QUERY = re.compile(r"^\s*Query[ \t]+(\d+)[ \t]*$", re.MULTILINE)
EMPTY_LINE = re.compile(r"\n[ \t]*\n")
TIME_HEAD = re.compile(r"^\*(?:TEXT|FIND)[ \t]+(\d+).*$", re.MULTILINE)


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


def medline(name: str, source: Source, split: str) -> RetrievalDataset:
    """Medline: abstracts without titles; judgments in the form of TREC, "query 0 document grade"."""
    files = by_name(source)
    return smart(name, files, documents="MED.ALL", queries="MED.QRY", qrels="MED.REL", columns=(0, 2, 3), grade=float)


def vaswani(name: str, source: Source, split: str) -> RetrievalDataset:
    """NPL, also known as Vaswani: short abstracts on electronics."""
    return npl(name, dict(source.files()))


def lisa(name: str, source: Source, split: str) -> RetrievalDataset:
    """LISA: documents begin with "Document 12", a title follows, and after an empty line the abstract.

    A query is a number, its text, and "#"; judgments are "Query 1", how many, and numbers of documents up to -1.
    """
    files = by_name(source)
    documents: list[tuple[str, str]] = []
    for file in sorted(set(files) - {"LISA.QUE", "LISA.REL"}):
        for number, text in _sections(LISA_HEAD, decoded(files[file])):
            parts = EMPTY_LINE.split(LISA_END.split(text)[0].strip(), maxsplit=1)
            documents.append((number, "\n".join(map(one_line, parts))))
    queries = [
        (number.strip(), one_line(text))
        for number, _, text in (block.strip().partition("\n") for block in decoded(files["LISA.QUE"]).split("#"))
        if number
    ]
    qrels: Qrels = {}
    for number, text in _sections(LISA_QUERY, decoded(files["LISA.REL"])):
        # The -1 at the end names no document, so `assemble` leaves it out.
        qrels[number] = dict.fromkeys(re.sub(r"\d+[ \t]+Relevant Refs?:?", "", text).split(), 1.0)
    return assemble(name, documents, queries, qrels)


def time(name: str, source: Source, split: str) -> RetrievalDataset:
    """TIME: news of 1963 after lines "*TEXT 017 ..."; queries after "*FIND 1"; judgments "query document document ...".

    Judgments give a document by its place in the file, as there are fewer documents than the numbers after ``*TEXT``
    reach; its place is therefore its name.

    Raises:
        InputError: a judgment gives a place at which there is no document.
    """
    files = by_name(source)
    texts = [one_line(text) for _, text in _sections(TIME_HEAD, _before_stop(files["TIME.ALL"]))]
    queries = [(number, one_line(text)) for number, text in _sections(TIME_HEAD, _before_stop(files["TIME.QUE"]))]
    qrels: Qrels = {}
    for line in filter(str.strip, decoded(files["TIME.REL"]).splitlines()):
        query, *places = line.split()
        if beyond := [place for place in places if not 1 <= int(place) <= len(texts)]:
            raise InputError(f"data set {name!r}: query {query} is judged with document {beyond[0]} of {len(texts)}")
        qrels[query] = dict.fromkeys(places, 1.0)
    return assemble(name, [(str(place), text) for place, text in enumerate(texts, start=1)], queries, qrels)


def nfcorpus(name: str, source: Source, split: str) -> RetrievalDataset:
    """NFCorpus: all query titles, judgments of three levels (2 direct, 1 indirect link)."""
    files = {name: content.decode("utf-8").split("\n") for name, content in by_name(source).items()}

    def rows(file: str) -> list[tuple[str, str]]:
        return [(key, text) for key, text in (line.rstrip("\r").split("\t", 1) for line in files[file] if line)]

    qrels: Qrels = {}
    for line in filter(None, files["s-3.qrel"]):
        query, _, item, grade = line.split("\t")
        qrels.setdefault(query, {})[item] = float(grade)
    return assemble(name, rows("d-collection.docs"), rows("q-titles.queries"), qrels)


def by_name(source: Source) -> dict[str, bytes]:
    """The files by name, without the folders in which they lie."""
    return {path.rsplit("/", 1)[-1]: content for path, content in source.files()}


def _sections(head: re.Pattern[str], text: str) -> Iterator[tuple[str, str]]:
    parts = head.split(text)[1:]
    yield from zip((number.lstrip("0") or "0" for number in parts[::2]), parts[1::2], strict=True)


def _before_stop(content: bytes) -> str:
    return re.split(r"^\*STOP", decoded(content), maxsplit=1, flags=re.MULTILINE)[0]
