"""The registry, where files are looked for, checksums, and the sets that are on this machine."""

from __future__ import annotations

import hashlib
import io
import lzma
import os
import tarfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

from similia.errors import DatasetMissing, InputError
from similia.evaluate import datasets
from similia.evaluate.datasets import places, registry, smart


def needs(name: str) -> pytest.MarkDecorator:
    return pytest.mark.skipif(not datasets.available(name), reason=f"the data set {name} is not on this machine")


@pytest.fixture
def nowhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """One data folder, empty."""
    monkeypatch.setattr(places, "data_folders", lambda: [tmp_path])
    return tmp_path


@pytest.mark.parametrize("name", datasets.names())
def test_a_missing_set_says_how_to_get_it(name: str, nowhere: Path) -> None:
    with pytest.raises(DatasetMissing) as caught:
        datasets.load(name)
    entry = datasets.info(name)
    message = str(caught.value)
    assert str(nowhere) in message
    assert entry.origin.split(" @ ")[0] in message
    assert entry.licence in message
    assert "SIMILIA_DATA" in message
    assert not datasets.available(name)


@pytest.mark.parametrize("entry", registry.ENTRIES, ids=lambda entry: entry.name)
def test_every_entry_is_complete(entry: registry.Entry) -> None:
    repository, _, rest = entry.origin.partition(" @ ")
    assert repository.count("/") == 1
    assert len(rest.split(" : ")[0]) == 40
    assert len(entry.sha256) == len(entry.content) == 64
    assert entry.splits
    assert entry.licence


def test_unknown_names_and_splits_are_refused() -> None:
    with pytest.raises(InputError, match="cranfield"):
        datasets.load("crandfield")
    with pytest.raises(InputError, match="it has dev"):
        datasets.load("nfcorpus", "train")


def test_the_environment_comes_first(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SIMILIA_DATA", str(tmp_path / "mine"))
    monkeypatch.setenv("SIMILIA_CACHE", str(tmp_path / "cache"))
    folders = datasets.data_folders()
    assert folders[0] == tmp_path / "mine"
    assert folders[-1] == tmp_path / "cache" / "data"


def test_a_folder_above_the_current_one_is_found(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "shared" / "data").mkdir(parents=True)
    (tmp_path / "project" / "deep").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "project" / "deep")
    monkeypatch.delenv("SIMILIA_DATA", raising=False)
    assert tmp_path / "shared" / "data" in datasets.data_folders()


def tiny_smart() -> dict[str, bytes]:
    return {
        "ADI.ALL": b".I 1\r\n.T\r\nfirst title\r\n.W\r\nfirst\r\n body\r\n.I 2\n.T\nsecond\n.T\nagain\n.W\n",
        "ADI.QRY": b".I 1\n.W\nwhat is first?\n.I 2\n.W\nnobody knows\n",
        "ADI.REL": b"1   1   0   0.000000\n1 9 0 0\n\n",
    }


def pack(files: Mapping[str, bytes], path: Path) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w:xz") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return hashlib.sha256(path.read_bytes()).hexdigest()


def entry_of(files: Mapping[str, bytes], folder: Path) -> registry.Entry:
    """The entry of ADI with the checksums of other files."""
    sha256 = pack(files, folder / "packed" / "ir_classic" / "adi_dev.tar.xz")
    lines = "".join(f"{name}\0{hashlib.sha256(files[name]).hexdigest()}\n" for name in sorted(files))
    from dataclasses import replace

    return replace(datasets.info("adi"), sha256=sha256, content=hashlib.sha256(lines.encode()).hexdigest())


@pytest.mark.parametrize("form", ["packed", "unpacked"])
def test_packed_and_unpacked_files_read_alike(form: str, nowhere: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = tiny_smart()
    monkeypatch.setitem(registry.REGISTRY, "adi", entry_of(files, nowhere))
    if form == "packed":
        monkeypatch.setattr(places, "data_folders", lambda: [nowhere / "packed"])
    else:
        (nowhere / "ir_classic" / "adi").mkdir(parents=True)
        (nowhere / "ir_classic" / "adi" / "README").write_text("not part of it")
        for name, content in files.items():
            (nowhere / "ir_classic" / "adi" / name).write_bytes(content)
    found = datasets.retrieval("adi")
    assert found.document_ids == ("1", "2")
    assert found.documents == ("first title\nfirst body", "second again")
    assert found.queries == ("what is first?",)
    assert found.qrels == {"1": {"1": 1.0}}


def test_a_damaged_file_is_refused_and_named(nowhere: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(registry.REGISTRY, "adi", entry_of(tiny_smart(), nowhere))
    monkeypatch.setattr(places, "data_folders", lambda: [nowhere / "packed"])
    datasets.load("adi")
    path = nowhere / "packed" / "ir_classic" / "adi_dev.tar.xz"
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    os.utime(path, ns=(1, 1))
    with pytest.raises(DatasetMissing, match=r"adi_dev\.tar\.xz has SHA-256"):
        datasets.load("adi")


def test_a_changed_file_in_a_folder_is_refused(nowhere: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(registry.REGISTRY, "adi", entry_of(tiny_smart(), nowhere))
    (nowhere / "ir_classic" / "adi").mkdir(parents=True)
    for name, content in tiny_smart().items():
        (nowhere / "ir_classic" / "adi" / name).write_bytes(content + b"\n")
    with pytest.raises(DatasetMissing, match="SHA-256"):
        datasets.load("adi")


def test_a_checksum_is_computed_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "one.xz"
    path.write_bytes(lzma.compress(b"x"))
    source = places.Source(path, ("*",))
    first = source.digest()
    monkeypatch.setattr(places.hashlib, "file_digest", lambda *_: pytest.fail("computed again"))
    assert source.digest() == first


def test_the_wrong_kind_is_refused() -> None:
    name = "ag_news"
    if not datasets.available(name):
        pytest.skip("the data set ag_news is not on this machine")
    with pytest.raises(InputError, match="classification"):
        datasets.retrieval(name)


def test_cranfield_grades_and_ordinals() -> None:
    files = {
        "docs": b".I 1\n.T\na wing .\n.W\na wing .\nlift of it\n",
        "qry": b".I 001\n.W\nwings\n.I 004\n.W\nlift\n",
        "rel": b"2 1 1\n1 1 -1\n",
    }
    found = smart.smart(
        "x", files, documents="docs", queries="qry", qrels="rel", ordinal=True, grade=lambda c: 5 - c if c > 0 else 0
    )
    assert found.query_ids == ("2",)
    assert found.queries == ("lift",)
    assert found.qrels == {"2": {"1": 4}}
    assert found.documents == ("a wing . lift of it",)


# What the keepers of each collection say it holds.
COUNTS = {
    "adi": (82, 35, 170),
    "cacm": (3204, 52, 796),
    "cisi": (1460, 76, 3114),
    "cranfield": (1400, 225, 1837),
    "npl": (11429, 93, 2083),
    "nfcorpus": (3193, 324, 11385),
    "limit_small": (46, 1000, 2000),
}


@pytest.mark.parametrize("name", COUNTS)
def test_counts_of_retrieval_sets(name: str) -> None:
    if not datasets.available(name):
        pytest.skip(f"the data set {name} is not on this machine")
    found = datasets.retrieval(name)
    documents, queries, judged = COUNTS[name]
    assert len(found.documents) == len(set(found.document_ids)) == documents
    assert len(found.queries) == len(set(found.query_ids)) == queries
    # A judgment given twice is one.
    assert judged - 10 <= sum(map(len, found.qrels.values())) <= judged
    known = set(found.document_ids)
    assert all(set(grades) <= known for grades in found.qrels.values())
    assert all(text.strip() for text in found.queries)
    assert f"{documents:,} documents" in repr(found)


@needs("medquad")
def test_medquad() -> None:
    found = datasets.retrieval("medquad")
    assert len(found.document_ids) == len(set(found.document_ids)) == 16_407
    assert len(set(found.queries)) == len(found.queries) == 14_979
    assert sum(map(len, found.qrels.values())) == 16_407


@needs("ag_news")
def test_ag_news() -> None:
    found = datasets.classification("ag_news")
    assert len(found) == len(found.labels) == 7600
    assert np.bincount(found.labels).tolist() == [1900] * 4
    assert found.classes == ("World", "Sports", "Business", "Sci/Tech")


@pytest.mark.parametrize(("name", "count"), [("papers", 24_318), ("papers_ir", 6_767)])
def test_papers(name: str, count: int) -> None:
    if not datasets.available(name):
        pytest.skip(f"the data set {name} is not on this machine")
    found = datasets.records(name)
    records = list(found)
    assert len(records) == len({r["id"] for r in records}) == count
    assert all(r["title"] and r["abstract"] and len(r["date"]) == 10 for r in records)
    assert next(found.records()) == records[0]


@needs("humanevalpack")
def test_humanevalpack() -> None:
    assert len(list(datasets.records("humanevalpack"))) == 164
    rust = list(datasets.records("humanevalpack", "rust"))
    assert len(rust) == 164
    assert rust[0]["task_id"].startswith("Rust")
