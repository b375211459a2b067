from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path

import pytest

from similia.encode.files import cache_folder, sha256
from similia.errors import ModelError


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("SIMILIA_CACHE", str(tmp_path / "cache"))
    return tmp_path


def test_cache_folder_can_be_chosen_and_has_a_platform_default(home, monkeypatch):
    assert cache_folder() == home / "cache"
    monkeypatch.delenv("SIMILIA_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(home / "xdg"))
    monkeypatch.setattr("sys.platform", "linux")
    assert cache_folder() == home / "xdg" / "similia"


def test_a_remembered_digest_is_not_computed_again(home, monkeypatch):
    file = home / "file"
    file.write_bytes(b"one")
    assert sha256(file) == hashlib.sha256(b"one").hexdigest()

    def refuse(*_):
        raise AssertionError("the file was hashed again")

    monkeypatch.setattr(hashlib, "file_digest", refuse)
    assert sha256(file) == hashlib.sha256(b"one").hexdigest()


def test_a_changed_file_is_hashed_again_even_with_its_old_size_and_time(home):
    file = home / "file"
    file.write_bytes(b"one")
    sha256(file)
    other = home / "other"
    other.write_bytes(b"two")
    status = file.stat()
    os.utime(other, ns=(status.st_atime_ns, status.st_mtime_ns))
    other.replace(file)
    assert sha256(file) == hashlib.sha256(b"two").hexdigest()


@pytest.mark.parametrize("content", ["", "{", "[]", '{"a": 1}', "\x00"])
def test_a_damaged_memory_is_ignored_and_mended(home, content):
    file = home / "file"
    file.write_bytes(b"one")
    memory = home / "cache" / "digests.json"
    memory.parent.mkdir()
    memory.write_text(content)
    assert sha256(file) == hashlib.sha256(b"one").hexdigest()
    assert str(file.resolve()) in json.loads(memory.read_text())


def test_a_cache_that_cannot_be_written_costs_time_only(home, monkeypatch):
    blocker = home / "blocker"
    blocker.write_text("a file, not a folder")
    monkeypatch.setenv("SIMILIA_CACHE", str(blocker / "cache"))
    file = home / "file"
    file.write_bytes(b"one")
    assert sha256(file) == hashlib.sha256(b"one").hexdigest()


def test_a_missing_file_is_named():
    with pytest.raises(ModelError, match="/nowhere/model"):
        sha256(Path("/nowhere/model"))
