"""The systems are found by name, describe themselves, and cost nothing until they run."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import similia
from similia import atlas
from similia.atlas.registry import modules, system
from similia.errors import DatasetMissing, InputError
from similia.evaluate import datasets
from similia.evaluate.datasets import places


def test_every_module_is_a_system_that_describes_itself() -> None:
    infos = atlas.systems()
    assert [info.number for info in infos] == list(modules()) == sorted(modules())
    rooms = {path.name for path in Path(similia.__file__).parent.iterdir() if path.is_dir()}
    for info in infos:
        assert modules()[info.number].rsplit(".", 1)[1].startswith(f"s{info.number:03d}_")
        assert info.title
        assert info.paper
        assert info.claims
        assert set(info.rooms) <= rooms
        assert set(info.data) <= set(datasets.names())
        assert callable(system(info.number).run)
        assert (system(info.number).__doc__ or "").count("quick sample") == 1


def test_listing_imports_nothing_heavy() -> None:
    code = (
        "import sys, similia.atlas as a; a.systems();"
        "print([m for m in ('openvino', 'onnxruntime', 'duckdb', 'sqlglot', 'scipy', 'sklearn') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_unknown_systems_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no system 999; it has 3, 4"):
        atlas.run(999, out=tmp_path)
    assert not list(tmp_path.iterdir())


def test_missing_data_is_said_before_anything_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(places, "data_folders", lambda: [tmp_path])
    with pytest.raises(DatasetMissing, match="humanevalpack"):
        atlas.run(44, out=tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_published_results_are_of_full_runs() -> None:
    """What the documentation shows was measured at full size by the systems as they are described now."""
    folder = Path(__file__).resolve().parents[2] / "docs" / "atlas"
    if not folder.is_dir():
        pytest.skip("no published results in this checkout")
    published = atlas.results(folder)
    for info in atlas.systems():
        result = published[info.number]
        assert not result.quick
        assert tuple(claim.says for claim in result.claims) == info.claims
        assert set(result.data) == set(info.data)
        for name, origin in result.data.items():
            assert origin.endswith(datasets.info(name).sha256)
