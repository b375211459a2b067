from __future__ import annotations

import os
import subprocess
import sys

import pytest

from similia import encode
from similia.encode import load
from similia.errors import ModelError


@pytest.mark.parametrize("spec", ["", "bert", "minilm:2", "/nowhere/at/all", "hash", " hashing"])
def test_an_unknown_name_lists_what_there_is(spec):
    with pytest.raises(ModelError, match="expected minilm, hashing"):
        load(spec)


@pytest.mark.parametrize("spec", [None, 3, object()])
def test_what_is_no_encoder_is_refused(spec):
    with pytest.raises(ModelError, match="is no encoder"):
        load(spec)


@pytest.mark.parametrize("name", ["", "bert", "a/b/c", "a/../b", "a b/c", "https://x/y"])
def test_a_hub_name_must_be_one(name):
    with pytest.raises(ModelError, match="hub:owner/name"):
        load(f"hub:{name}")


def test_a_hub_model_without_network_is_a_clear_error(tmp_path):
    """Port 9 of this machine answers nobody: the download fails at once, and what is said has the way out."""
    code = "from similia.encode import load; load('hub:owner/model')"
    places = {"HF_ENDPOINT": "http://127.0.0.1:9", "HF_HOME": str(tmp_path), "HF_HUB_DOWNLOAD_TIMEOUT": "2"}
    done = subprocess.run([sys.executable, "-c", code], env={**os.environ, **places}, capture_output=True, text=True)
    assert done.returncode == 1
    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith("similia.errors.ModelError: hub:owner/model cannot be had (")
    assert "give a local folder" in last


def test_a_hub_model_that_was_downloaded_is_found_offline(tmp_path, write_model):
    snapshots = tmp_path / "models--owner--model"
    write_model(snapshots / "snapshots" / "abc")
    (snapshots / "refs").mkdir()
    (snapshots / "refs" / "main").write_text("abc")
    code = """
from similia.encode import load
encoder = load("hub:owner/model")
print(encoder.name, encoder.encode(["a cat"]).vectors.shape)
"""
    places = {"HF_HUB_CACHE": str(tmp_path), "HF_HUB_OFFLINE": "1"}
    done = subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, **places}, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "hub:owner/model (1, 16)"


def test_the_room_hands_out_what_it_says():
    for name in encode.__all__:
        assert getattr(encode, name) is not None
    assert callable(encode.load)


def test_importing_the_room_imports_nothing_heavy():
    code = "import sys, similia.encode; print([m for m in ('numpy', 'openvino', 'tokenizers') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
