"""With the encoder that is installed with Similia: meaning, aspects, and a cold process."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from similia import Collection

PAPERS = Path(__file__).resolve().parents[2] / "examples" / "papers.jsonl"


@pytest.fixture(scope="module")
def papers(tmp_path_factory: pytest.TempPathFactory) -> Collection:
    folder = tmp_path_factory.mktemp("bundled") / "papers"
    with Collection.open(folder, create=True) as made:
        made.add(PAPERS, key="id", text=["title", "abstract"], encoder="minilm")
        made.senses.add("method", text="abstract", encoder="minilm", about="the method that the paper proposes")
    return made


def test_meaning_is_found_without_its_words(papers: Collection) -> None:
    with Collection.open(papers.path) as opened:
        found = opened.search("firms that appear under several spellings", mode="dense", k=3)
        assert "matching-01" in found.keys
        assert opened.senses["topic"].dimension == 384
        assert opened.senses["topic"].encoder == "minilm"


def test_an_aspect_is_another_sense(papers: Collection) -> None:
    with Collection.open(papers.path) as opened:
        method = opened.senses["method"]
        assert method.about == "the method that the paper proposes"
        assert method.fingerprint != opened.senses["topic"].fingerprint
        assert opened.similar("audio-01", sense="method", k=23).keys != opened.similar("audio-01", k=23).keys
        found = opened.search("contrastive learning of an encoder", sense="method", k=5)
        assert len(found) == 5
        compared = opened.compare("retrieval-01", "audio-01")
        assert set(compared.senses) == {"topic", "method"}
        assert all(sense.phrases and not sense.note for sense in compared.senses.values())
        assert opened.check().ok


COLD = """
import json, sys
from similia import Collection
with Collection.open(sys.argv[1]) as papers:
    found = papers.search("rank fusion", mode=sys.argv[2])
heavy = ("openvino", "onnxruntime", "duckdb", "rich", "scipy", "sqlglot", "pandas")
loaded = [name for name in heavy if name in sys.modules]
print(json.dumps([found.keys, loaded]))
"""


@pytest.mark.parametrize(
    ("mode", "unused"),
    [
        ("text", {"openvino", "onnxruntime", "duckdb", "rich", "scipy", "sqlglot", "pandas"}),
        ("hybrid", {"duckdb", "rich", "scipy", "sqlglot", "pandas"}),
    ],
)
def test_a_search_loads_what_it_needs_only(papers: Collection, mode: str, unused: set[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-c", COLD, str(papers.path), mode], capture_output=True, text=True, check=True
    )
    keys, loaded = json.loads(done.stdout)
    assert keys[0] == "retrieval-01"
    assert not set(loaded) & unused
