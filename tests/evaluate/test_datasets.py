"""The registry, where files are looked for, checksums, and the sets that are on this machine."""

from __future__ import annotations

import hashlib
import io
import lzma
import os
import tarfile
import warnings
import zipfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from similia.errors import DatasetMissing, InputError
from similia.evaluate import datasets
from similia.evaluate.datasets import places, registry, smart


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
    assert entry.splits
    assert entry.licence
    assert set(entry.parts) <= set(entry.splits)
    for split in entry.splits:
        files = entry.files(split)
        for part in filter(None, (files, files.beside)):
            assert part.patterns
            assert (part.sha256 is None) == (part.content is None)
            if part.sha256 is not None and part.content is not None:
                assert len(part.sha256) == len(part.content) == 64
        # What cannot be checked is named in the notes.
        assert entry.verifiable(split) or "no checksum" in entry.notes


def test_unknown_names_and_splits_are_refused() -> None:
    with pytest.raises(InputError, match="cranfield"):
        datasets.load("crandfield")
    with pytest.raises(InputError, match="it has dev, test"):
        datasets.load("nfcorpus", "train")
    with pytest.raises(InputError, match="the kinds are classification, pairs, records, retrieval"):
        datasets.names("images")


def test_names_by_kind_are_all_names() -> None:
    kinds = ("retrieval", "pairs", "classification", "records")
    assert sorted(name for kind in kinds for name in datasets.names(kind)) == sorted(datasets.names())
    assert len(set(datasets.names())) == len(registry.ENTRIES)


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
    with pytest.raises(InputError, match="is of kind classification, not RetrievalDataset"):
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


MEDLINE = {
    "MED.ALL": b".I 1\n.W\nlens proteins\n.I 2\n.W\nblood sugar\n",
    "MED.QRY": b".I 1\n.W\nproteins of the lens.\n",
    "MED.REL": b"1 0 1 1\n",
}


def write(files: Mapping[str, bytes], folder: Path) -> None:
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)


@pytest.mark.parametrize("form", ["packed", "unpacked"])
def test_files_without_a_known_checksum_are_read_with_a_warning(form: str, nowhere: Path) -> None:
    assert not datasets.info("medline").verifiable()
    assert "read unverified" in datasets.info("medline").how_to_get()
    if form == "packed":
        pack({f"med/{name}": content for name, content in MEDLINE.items()}, nowhere / "ir_classic" / "med_all.tar.xz")
    else:
        write(MEDLINE, nowhere / "ir_classic" / "med")
    assert datasets.available("medline")
    assert not datasets.info("medline").source().verified
    with pytest.warns(datasets.UnverifiedDataWarning, match=r"'medline'.*no checksum is known"):
        found = datasets.retrieval("medline")
    assert found.qrels == {"1": {"1": 1.0}}


def test_a_known_checksum_does_not_warn(nowhere: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(registry.REGISTRY, "adi", entry_of(tiny_smart(), nowhere))
    monkeypatch.setattr(places, "data_folders", lambda: [nowhere / "packed"])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        datasets.load("adi")
    assert datasets.info("adi").source().verified


@pytest.mark.parametrize("lacking", MEDLINE)
def test_files_without_a_known_checksum_must_all_be_there(lacking: str, nowhere: Path) -> None:
    write({name: content for name, content in MEDLINE.items() if name != lacking}, nowhere / "ir_classic" / "med")
    assert not datasets.available("medline")


def test_a_split_with_files_of_its_own(nowhere: Path) -> None:
    files = {
        "test/raw/d-collection.docs": b"MED-1\tmilk bones\n",
        "test/raw/q-titles.queries": b"PLAIN-1\tmilk\n",
        "test/raw/s-3.qrel": b"PLAIN-1\t0\tMED-1\t2\n",
    }
    write(files, nowhere / "nfcorpus")
    assert datasets.available("nfcorpus", "test")
    assert not datasets.available("nfcorpus")
    with pytest.warns(datasets.UnverifiedDataWarning):
        assert datasets.retrieval("nfcorpus", "test").qrels == {"PLAIN-1": {"MED-1": 2.0}}
    with pytest.raises(DatasetMissing, match="nfcorpus_dev"):
        datasets.load("nfcorpus")


def test_files_beside_others_are_checked_and_come_first(nowhere: Path) -> None:
    known = {"a/tables.csv": b"1"}
    beside = places.Files("known.tar.xz", pack(known, nowhere / "known.tar.xz"), "x", ("a/*.csv",), "0" * 64)
    files = places.Files("more*.tar.xz", None, "x", ("asked.tsv",), None, beside=beside)
    assert not files.verifiable
    with pytest.raises(DatasetMissing):
        files.find("both")
    pack({"asked.tsv": b"2"}, nowhere / "more1.tar.xz")
    found = files.find("both")
    assert dict(found.files()) == {"a/tables.csv": b"1", "asked.tsv": b"2"}
    assert not found.verified
    (nowhere / "known.tar.xz").write_bytes(b"damaged")
    with pytest.raises(DatasetMissing, match="SHA-256"):
        files.find("both")


def test_a_zip_is_read(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "few.zip", "w") as archive:
        archive.writestr("kdd/keys/1.key", "rank")
        archive.writestr("kdd/other", "x")
    assert list(places.Source(tmp_path / "few.zip", ("kdd/keys/*.key",)).files()) == [("kdd/keys/1.key", b"rank")]


def test_candidates_are_what_was_judged() -> None:
    few = datasets.RetrievalDataset("few", ("a", "b", "c"), ("A", "B", "C"), ("q",), ("Q",), {"q": {"a": 1, "c": 0}})
    assert few.candidates("q") == ("a", "c")
    with pytest.raises(InputError, match="'z' is not one of the 1 queries of 'few'"):
        few.candidates("z")
