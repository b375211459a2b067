"""Each reader of collections and records on a few small files in the form of its origin; no data set is needed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from similia.errors import InputError
from similia.evaluate import datasets
from similia.evaluate.datasets import RecordsDataset, RetrievalDataset, places
from similia.evaluate.datasets.kinds import Dataset
from similia.evaluate.datasets.readers.questions import labelled
from similia.evaluate.datasets.readers.tables import table_text


def read(folder: Path, name: str, files: Mapping[str, str | bytes], split: str | None = None) -> Dataset:
    """What the entry of a data set makes of these files."""
    entry = datasets.info(name)
    for file, content in files.items():
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        (folder / file).write_bytes(content.encode() if isinstance(content, str) else content)
    wanted = entry.files(split)
    beside = None if wanted.beside is None else places.Source(folder, wanted.beside.patterns)
    return entry.read(name, places.Source(folder, wanted.patterns, beside=beside), entry.chosen(split))


def retrieval(folder: Path, name: str, files: Mapping[str, str | bytes], split: str | None = None) -> RetrievalDataset:
    found = read(folder, name, files, split)
    assert isinstance(found, RetrievalDataset)
    return found


def records(folder: Path, name: str, files: Mapping[str, str | bytes], split: str | None = None) -> RecordsDataset:
    found = read(folder, name, files, split)
    assert isinstance(found, RecordsDataset)
    return found


def test_medline(tmp_path: Path) -> None:
    files = {
        "MED.ALL": ".I 1\n.W\ncorrelation between maternal\nand fetal levels .\n.I 2\n.W\nchanges of the lens .\n",
        "MED.QRY": ".I 1\n.W\nthe crystalline lens in vertebrates.\n.I 2\n.W\nfatty acids\n",
        "MED.REL": "1 0 2 1\n1 0 1 1\n2 0 1 1\n",
    }
    found = retrieval(tmp_path, "medline", files)
    assert found.documents == ("correlation between maternal and fetal levels .", "changes of the lens .")
    assert found.qrels == {"1": {"2": 1.0, "1": 1.0}, "2": {"1": 1.0}}


def test_lisa(tmp_path: Path) -> None:
    files = {
        "LISA0.001": (
            "Document    1\nTHE INDIAN COUNCIL: AN\nOVERVIEW.\n     \nOVERVIEW OF THE COUNCIL.\nITS LIBRARY.\n"
            + "*" * 44
            + "\nDocument    2\nDOCUMENT DELIVERY.\r\n \r\nDocument supply is\r\nslow.\r\n"
            + "*" * 44
        ),
        "LISA5.850": "Document  6004\nLAST TITLE.\n\nLAST BODY.\n" + "*" * 44 + "\n",
        "LISA.QUE": "1 \nI AM INTERESTED IN\nDELIVERY. #\n2 \nCOUNCILS? #\n",
        "LISA.REL": "\nQuery 1\n2 Relevant Refs:\n2 6004 -1\n\n\nQuery 2\n1 Relevant Refs:\n1 -1\n",
        "LISARJ.NUM": "1 1 5",
    }
    found = retrieval(tmp_path, "lisa", files)
    assert found.document_ids == ("1", "2", "6004")
    assert found.documents == (
        "THE INDIAN COUNCIL: AN OVERVIEW.\nOVERVIEW OF THE COUNCIL. ITS LIBRARY.",
        "DOCUMENT DELIVERY.\nDocument supply is slow.",
        "LAST TITLE.\nLAST BODY.",
    )
    assert found.queries == ("I AM INTERESTED IN DELIVERY.", "COUNCILS?")
    assert found.qrels == {"1": {"2": 1.0, "6004": 1.0}, "2": {"1": 1.0}}


TIME = {
    "TIME.ALL": "*TEXT 017 01/04/63 PAGE 020\n\nTHE ALLIES AFTER\nNASSAU\n\n*TEXT 563 12/27/63 PAGE 9\nRUSSIA\n*STOP\n",
    "TIME.QUE": "*FIND     1\n\n WHO MET\nIN NASSAU .\n\n*FIND     2\n MOSCOW .\n*STOP\n",
    "TIME.REL": "\n1  1\n\n2   1 2\n",
}


def test_time(tmp_path: Path) -> None:
    found = retrieval(tmp_path, "time", TIME)
    assert found.document_ids == ("1", "2")
    assert found.documents == ("THE ALLIES AFTER NASSAU", "RUSSIA")
    assert found.queries == ("WHO MET IN NASSAU .", "MOSCOW .")
    assert found.qrels == {"1": {"1": 1.0}, "2": {"1": 1.0, "2": 1.0}}


def test_time_refuses_numbers_that_are_no_places(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="query 1 is judged with document 563 of 2"):
        retrieval(tmp_path, "time", {**TIME, "TIME.REL": "1 1 563\n"})


def test_trecqa(tmp_path: Path) -> None:
    rows = 'qtext,label,atext\nWho ?,1,"She , ""her"" self ."\nWho ?,0,Nobody .\nWhen ?,0,Nobody .\nWhat ?,1,Nobody .\n'
    files = {
        f"wang/{split}.csv": rows if split == "dev" else "qtext,label,atext\n" for split in ("train", "dev", "test")
    }
    found = retrieval(tmp_path, "trecqa", files, "dev")
    assert found.documents == ('She , "her" self .', "Nobody .")
    assert found.queries == ("Who ?", "What ?")
    assert found.qrels == {"q1": {"d1": 1.0, "d2": 0.0}, "q3": {"d2": 1.0}}
    assert found.candidates("q1") == ("d1", "d2")
    assert retrieval(tmp_path, "trecqa", {}, "train").documents == ()


LABELLED = st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("wxyz"), st.sampled_from([0.0, 1.0, 2.0])))


@given(LABELLED)
def test_labelled_pairs_keep_every_text_once_and_the_higher_label(rows: list[tuple[str, str, float]]) -> None:
    found = labelled("few", rows)
    assert sorted(found.documents) == sorted({document for _, document, _ in rows})
    text_of = dict(zip(found.document_ids, found.documents, strict=True))
    grades = {
        (query, text_of[item]): grade
        for key, query in zip(found.query_ids, found.queries, strict=True)
        for item, grade in found.qrels[key].items()
    }
    best = {(q, d): max(label for a, b, label in rows if (a, b) == (q, d)) for q, d, _ in rows}
    answered = {q for (q, _), label in best.items() if label > 0}
    assert grades == {pair: label for pair, label in best.items() if pair[0] in answered}


def test_cosqa(tmp_path: Path) -> None:
    rows = [
        {"idx": "a", "doc": "sort list", "code": "def f(x):\n    return sorted(x)", "label": 1},
        {"idx": "b", "doc": "open file", "code": "def f(x):\n    return sorted(x)", "label": 0},
    ]
    found = retrieval(tmp_path, "cosqa", {"CoSQA/cosqa-dev.json": json.dumps(rows)})
    assert found.documents == ("def f(x):\n    return sorted(x)",)
    assert found.queries == ("sort list",)


def test_stackfaq(tmp_path: Path) -> None:
    threads = [
        {"rephr": ["how  to a", "*", "a?", None], "question": "A", "answer": ["first\n one", "second"]},
        {"rephr": ["b?"], "question": "B", "answer": "alone"},
    ]
    files = {"StackFAQ/stackExchange-FAQ.json": json.dumps({"root": {"qapair": threads}})}
    found = retrieval(tmp_path, "stackfaq", files)
    assert found.documents == ("A\nfirst one\nsecond", "B\nalone")
    assert found.queries == ("how to a", "a?", "b?")
    assert [list(grades) for grades in found.qrels.values()] == [["f1"], ["f1"], ["f2"]]


def test_covidfaq(tmp_path: Path) -> None:
    rows = [
        {"label": 1, "query_type": "faq", "question": "What is it?", "answer": "A virus.", "id": 0},
        {"label": 1, "query_type": "faq", "question": "Masks?", "answer": "Yes.", "id": 1},
        {"label": 1, "query_type": "faq", "question": "Is it a virus?", "answer": "A virus.", "id": 2},
        {"label": 1, "query_type": "user_query", "question": "what is  covid", "answer": "A  virus.", "id": 3},
        {"label": 0, "query_type": "user_query", "question": "what is covid", "answer": "Yes.", "id": 4},
        {"label": 1, "query_type": "user_query", "question": "no link", "answer": "Maybe.", "id": 5},
    ]
    found = retrieval(tmp_path, "covidfaq", {"CovidFAQ/pairs.json": json.dumps(rows)})
    assert found.documents == ("What is it?\nA virus.", "Masks?\nYes.", "Is it a virus?\nA virus.")
    assert found.queries == ("what is covid",)
    assert found.qrels == {"u1": {"f1": 1.0, "f3": 1.0}}


PAGE = """<?xml version="1.0"?>
<Document id="0000001" source="NIH"><Focus>Acne
 Vulgaris</Focus><FocusAnnotations><UMLS><SemanticGroup>Disorders</SemanticGroup></UMLS></FocusAnnotations><QAPairs>
<QAPair pid="1"><Question qid="1-1" qtype="treatment">How  to treat it ?</Question><Answer>With
 care.</Answer></QAPair>
<QAPair pid="2"><Question qid="1-2" qtype="outlook">What then ?</Question><Answer/></QAPair>
<QAPair pid="3"><Question qid="1-3" qtype="causes">How  to treat it ?</Question><Answer>Soap.</Answer></QAPair>
</QAPairs></Document>"""


def test_medquad_and_its_pairs(tmp_path: Path) -> None:
    files = {"1_X_QA/0000001.xml": PAGE, "readme.txt": "not a page"}
    found = retrieval(tmp_path, "medquad", files)
    assert found.documents == ("With care.", "Soap.")
    assert found.qrels == {"1_X_QA/0000001#1": {"1_X_QA/0000001#1": 1.0, "1_X_QA/0000001#3": 1.0}}
    first, second = records(tmp_path, "medquad_pairs", files)
    assert first == {
        "id": "1_X_QA/0000001#1",
        "document": "1_X_QA/0000001",
        "source": "1_X_QA",
        "focus": "Acne Vulgaris",
        "group": "Disorders",
        "kind": "treatment",
        "question": "How to treat it ?",
        "answer": "With care.",
    }
    assert (second["id"], second["kind"]) == ("1_X_QA/0000001#3", "causes")


def test_liveqa(tmp_path: Path) -> None:
    files = {
        "All-qrels_LiveQAMed2017-TestQuestions_2479_Judged-Answers.txt": "1 4-Excellent A_1\n2 1-Incorrect A_2\n",
        "All-2479-Answers-retrieved-from-MedQuAD.csv": 'AnswerID,Answer\nA_1,"Take\nrest."\nA_2,No.\n',
    }
    assert list(records(tmp_path, "liveqa", files)) == [
        {"query": "1", "id": "A_1", "answer": "Take\nrest.", "grade": 4},
        {"query": "2", "id": "A_2", "answer": "No.", "grade": 1},
    ]


def test_politifact(tmp_path: Path) -> None:
    files = {
        "politifact/politi_facts.csv": "voted war iraq\nbreak banks\nvoted war iraq\n",
        "politifact/politi_facts_original_text.json": json.dumps(["She voted for\nwar.", "Break banks!", "On the war"]),
        "politifact/politi_GT.json": json.dumps({"she voted.": ["voted war iraq", "voted war iraq"], "other": ["?"]}),
    }
    found = retrieval(tmp_path, "politifact", files)
    assert found.documents == ("She voted for war.", "Break banks!", "On the war")
    # The judgments name the fact by its text without stop words, which two statements share.
    assert found.qrels == {"c1": {"f1": 1.0, "f3": 1.0}}
    assert found.queries == ("she voted.",)


def test_snopes_without_original_texts(tmp_path: Path) -> None:
    files = {
        "snopes/snopes_facts.csv": "cat barks\ndog meows\n",
        "snopes/snopes_GT.json": json.dumps({"a dog meowed": ["dog meows"]}),
    }
    found = retrieval(tmp_path, "snopes", files)
    assert found.documents == ("cat barks", "dog meows")
    assert found.qrels == {"c1": {"f2": 1.0}}


def test_corona_claims(tmp_path: Path) -> None:
    files = {
        "corona/claims_USR.csv": "'korea had more'\n",
        "corona/corona_tables.csv": "new deaths,|korea, south|,0,16\nnew deaths,canada,0,1\n",
        "corona/corona_GT.json": json.dumps(
            {"korea had more": ["new deaths korea, south 0 16"], "1 death": ["new deaths canada 0 1"], "none": []}
        ),
    }
    user = retrieval(tmp_path, "corona_claims", files, "user")
    assert user.documents == ("new deaths korea, south 0 16", "new deaths canada 0 1")
    assert (user.queries, user.qrels) == (("korea had more",), {"c1": {"r1": 1.0}})
    assert retrieval(tmp_path, "corona_claims", {}, "generated").queries == ("1 death",)


def test_wikitable_questions(tmp_path: Path) -> None:
    head = "contextId\tpageId\tpageRev\ttableIndex\ttitle\theaders\tcaption\ttagAbove\ttextAbove\ttagBelow\ttextBelow\n"
    asked = "id\tutterance\tcontext\ttargetValue\n"
    files = {
        "csv/200-csv/1.csv": '"Year","Title\nUK"\n"1969","\\"A\\", b"\n',
        "misc/table-metadata.tsv": head + 'csv/200-csv/1.csv\t1\t2\t0\tBand "X"\tWorks|Albums\t\th3\tA\th3\tB\n',
        "data/training.tsv": asked + "nt-0\twhich year?\tcsv/200-csv/1.csv\t1969\n",
        "data/pristine-seen-tables.tsv": asked,
        "data/pristine-unseen-tables.tsv": asked + 'nu-0\twho is "b"?\tcsv/200-csv/1.csv\tb\n',
    }
    found = retrieval(tmp_path, "wikitable_questions", files)
    assert found.documents == ('Band "X"\nWorks > Albums\nYear | Title UK\n1969 | "A", b',)
    assert found.qrels == {"nt-0": {"csv/200-csv/1.csv": 1.0}}
    assert retrieval(tmp_path, "wikitable_questions", {}, "unseen").queries == ('who is "b"?',)


def test_semtab_glossary(tmp_path: Path) -> None:
    term = {"id": "http://x/year", "label": "year", "desc": "When it was."}
    column = {"id": "t_Year", "label": "Year", "table_name": "Film", "table_columns": ["Rank", "Year"]}
    files = {
        "round1/r1_glossary.jsonl": json.dumps(term) + "\n" + json.dumps({"id": "y", "label": "place"}) + "\n",
        "round1/r1_test_metadata.jsonl": json.dumps(column) + "\n",
        "round1/r1_test_metadata_GT.csv": "t_Year,http://x/year\n",
        "round1/r1_sample_metadata.jsonl": json.dumps({**column, "id": "other"}) + "\n",
    }
    found = retrieval(tmp_path, "semtab_glossary", files)
    assert found.documents == ("year\nWhen it was.", "place")
    assert found.queries == ("Year\nFilm\nRank | Year",)
    assert found.qrels == {"t_Year": {"http://x/year": 1.0}}


CELL = st.text(st.characters(categories=("L", "N", "P", "S", "Zs")), max_size=12)


@given(st.lists(st.lists(CELL, min_size=2, max_size=2), min_size=1, max_size=5))
def test_table_text_keeps_every_cell(rows: list[list[str]]) -> None:
    escaped = [['"' + cell.replace("\\", "\\\\").replace('"', '\\"') + '"' for cell in row] for row in rows]
    text = table_text("\n".join(",".join(row) for row in escaped) + "\n", {"title": "T"})
    plain = [" | ".join(" ".join(cell.split()) for cell in row) for row in rows]
    assert text == "\n".join(["T", *plain])


def test_paper_keyphrases(tmp_path: Path) -> None:
    files = {
        "Inspec/docsutf8/7.txt": "A title\r\nAn abstract on\n\tmoney managers\r\n",
        "Inspec/keys/7.key": "money managers\n\tfunds\nthe  market\r\nfunds\r\n\n",
    }
    assert list(records(tmp_path, "paper_keyphrases", files)) == [
        {
            "id": "7",
            "text": "A title An abstract on money managers",
            "keyphrases": ["money managers", "funds", "the market"],
        }
    ]
