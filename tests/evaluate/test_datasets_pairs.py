"""Each reader of scored pairs on a few small files in the form of its origin; no data set is needed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

from similia.errors import InputError
from similia.evaluate import datasets
from similia.evaluate.datasets import PairsDataset
from similia.evaluate.datasets.places import Source


def pairs(folder: Path, name: str, files: Mapping[str, str], split: str | None = None) -> PairsDataset:
    """What the entry of a data set makes of these files, and of those that were written before."""
    entry = datasets.info(name)
    for file, content in files.items():
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        (folder / file).write_bytes(content.encode())
    found = entry.read(name, Source(folder, entry.files(split).patterns), entry.chosen(split))
    assert isinstance(found, PairsDataset)
    return found


def test_stsb(tmp_path: Path) -> None:
    found = pairs(tmp_path, "stsb_de", {"stsb-de-test.csv": 'Ein Mann.,"Ein ""Kerl"", ja.",3.25\n'}, "test")
    assert (found.left, found.right, found.scores.tolist()) == (("Ein Mann.",), ('Ein "Kerl", ja.',), [3.25])
    assert (found.low, found.high) == (0, 5)


def test_a_score_beyond_its_range_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"scores from 5\.5 to 5\.5, not 0 to 5"):
        pairs(tmp_path, "stsb", {"stsb-en-dev.csv": "a,b,5.5\n"})
    with pytest.raises(InputError, match=r"scores from 0\.5 to 2\.0, not 1 to 5"):
        pairs(tmp_path, "word_similarity", {"EN-MTurk-287.txt": "a b 0.5\nc d 2\n"}, "mturk287")
    with pytest.raises(InputError, match="scores from nan"):
        pairs(tmp_path, "stsb", {"stsb-en-dev.csv": "a,b,nan\n"})


def test_sick(tmp_path: Path) -> None:
    head = "pair_ID\tsentence_A\tsentence_B\trelatedness_score\tentailment_judgment\n"
    files = {
        "sick2014/SICK_trial.txt": head + '4\tThe "boys" play\tKids play\t4.5\tNEUTRAL\n',
        "sick2014/SICK_train.txt": head,
        "sick2014/SICK_test_annotated.txt": head + "9\tA\tB\t1\tNEUTRAL\r\n",
    }
    found = pairs(tmp_path, "sick", files)
    assert (found.left, found.right, found.scores.tolist()) == (('The "boys" play',), ("Kids play",), [4.5])
    assert (found.low, found.high) == (1, 5)
    assert pairs(tmp_path, "sick", {}, "test").scores.tolist() == [1.0]
    assert len(pairs(tmp_path, "sick", {}, "train")) == 0


def test_sts_leaves_out_what_has_no_score(tmp_path: Path) -> None:
    files = {
        "semeval-sts/2015/images.test.tsv": '3.0\tA "dog\tA cat \n\tnot\tscored\n',
        "semeval-sts/2015/belief.test.tsv": "0.8\tI\tyou\n",
    }
    assert pairs(tmp_path, "sts15", files).scores.tolist() == [0.8, 3.0]
    images = pairs(tmp_path, "sts15", files, "images")
    assert (images.left, images.right) == (('A "dog',), ("A cat",))


def test_sts_tells_training_from_test(tmp_path: Path) -> None:
    files = {f"semeval-sts/2012/MSRpar.{part}.tsv": f"{score}\ta\tb\n" for part, score in (("train", 1), ("test", 2))}
    assert pairs(tmp_path, "sts12", files).scores.tolist() == [2.0]
    assert pairs(tmp_path, "sts12", files, "train").scores.tolist() == [1.0]
    assert pairs(tmp_path, "sts12", files, "MSRpar").scores.tolist() == [2.0]


def test_mrpc(tmp_path: Path) -> None:
    head = "\ufeffQuality\t#1 ID\t#2 ID\t#1 String\t#2 String\r\n"
    files = {
        "msr/msr-para-val.tsv": head + '1\t7\t8\tHe said "no.\tHe refused.\r\n0\t9\t8\tYes.\tHe refused.\r\n',
        "msr/msr-para-train.tsv": head,
        "msr/msr-para-test.tsv": head,
    }
    found = pairs(tmp_path, "mrpc", files)
    assert (found.left, found.scores.tolist()) == (('He said "no.', "Yes."), [1.0, 0.0])


def test_medical_question_pairs(tmp_path: Path) -> None:
    found = pairs(tmp_path, "medical_question_pairs", {"mqp.csv": '1,"Am I, ill?",Is it a cold?,0\n'})
    assert (found.left, found.right, found.scores.tolist()) == (("Am I, ill?",), ("Is it a cold?",), [0.0])


@pytest.mark.parametrize(
    ("split", "file"),
    [("ws353", "EN-WS-353-ALL"), ("simverb3500", "EN-SIMVERB-3500"), ("simverb3500", "EN-SimVerb-3500")],
)
def test_word_similarity(split: str, file: str, tmp_path: Path) -> None:
    found = pairs(tmp_path, "word_similarity", {f"word-sim/{file}.txt": "tiger\tcat\t7.35\nold new 1.58\n"}, split)
    assert (found.left, found.right) == (("tiger", "old"), ("cat", "new"))
    np.testing.assert_array_equal(found.scores, [7.35, 1.58])
    assert (found.low, found.high) == (0, 10)


def test_sugarcrepe_pp(tmp_path: Path) -> None:
    rows = [{"id": 0, "filename": "0.jpg", "caption": "a", "caption2": "b", "negative_caption": "c"}]
    found = pairs(tmp_path, "sugarcrepe_pp", {"swap_obj.json": json.dumps(rows)}, "swap_obj")
    assert list(zip(found.left, found.right, found.scores, strict=True)) == [
        ("a", "b", 1),
        ("a", "c", 0),
        ("b", "c", 0),
    ]


def test_tabsim(tmp_path: Path) -> None:
    pair = {
        "fold": 0,
        "caption_1": " One ",
        "caption_2": "Two",
        "table_1": [[" a", "b "]],
        "table_2": [["c"]],
        "level": 2.0,
    }
    lines = "".join(json.dumps(row) + "\n" for row in (pair, {**pair, "fold": 1, "level": 6.0}))
    found = pairs(tmp_path, "tabsim", {"pairs_folds_0_2.jsonl": lines})
    assert (found.left[0], found.right[0], found.scores.tolist()) == ("One\na | b", "Two\nc", [4.0, 0.0])
    assert pairs(tmp_path, "tabsim", {}, "fold1").scores.tolist() == [0.0]
