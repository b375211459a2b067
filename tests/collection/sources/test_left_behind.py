"""What a killed process left behind in the temporary folder goes; what others use stays."""

from __future__ import annotations

import io
import os
import tempfile
import time
from pathlib import Path

import pytest

from similia.collection.sources.formats import FORGOTTEN, SPOOLED, StandardInput


def test_forgotten_input_is_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    for name, age in ((f"{SPOOLED}old", FORGOTTEN + 60), (f"{SPOOLED}new", 60.0), ("other", FORGOTTEN + 60)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "standard-input").write_text("x")
        os.utime(tmp_path / name, (time.time() - age,) * 2)
    given = StandardInput(io.BytesIO(b"a,b\n1,2\n"))
    assert given.path.read_bytes() == b"a,b\n1,2\n"
    assert {path.name for path in tmp_path.iterdir()} == {f"{SPOOLED}new", "other", Path(given.folder).name}
    given.remove()
    assert not Path(given.folder).exists()
