"""The house: imports go down the floors, faces are light and documented, files are small."""

from __future__ import annotations

import importlib
import inspect
import json
import subprocess
import sys
from pathlib import Path

import pytest

import similia

SOURCE = Path(similia.__file__).parent
PROJECT = Path(__file__).parents[1]
ROOMS = sorted(path.parent.name for path in SOURCE.glob("*/__init__.py"))
LONGEST_FILE = 400

HEAVY = {
    "duckdb",
    "fastapi",
    "jinja2",
    "nanoarrow",
    "numba",
    "onnxruntime",
    "openvino",
    "orjson",
    "pandas",
    "polars",
    "pyarrow",
    "pypdf",
    "rich",
    "scipy",
    "selectolax",
    "sklearn",
    "sqlglot",
    "tokenizers",
    "torch",
    "typer",
    "uvicorn",
}


def loaded_by(code: str) -> set[str]:
    """The modules that a fresh interpreter has after running ``code``."""
    report = "; import sys, json; print(json.dumps(sorted(sys.modules)))"
    answer = subprocess.run([sys.executable, "-c", code + report], capture_output=True, text=True, check=True)
    return set(json.loads(answer.stdout.splitlines()[-1]))


def test_imports_go_down_the_floors():
    program = Path(sys.executable).with_name("lint-imports")
    if not program.exists():
        pytest.skip("import-linter is not installed beside this interpreter")
    answer = subprocess.run([program, "--no-logo", "--no-cache"], cwd=PROJECT, capture_output=True, text=True)
    assert answer.returncode == 0, answer.stdout + answer.stderr


def test_every_room_has_its_floor():
    text = (PROJECT / "pyproject.toml").read_text(encoding="utf-8")
    contracts = text[text.index("[tool.importlinter]") :]
    missing = [room for room in ROOMS if f"similia.{room})" not in contracts]
    assert not missing, f"add {missing} to the layers in pyproject.toml"


def test_importing_similia_loads_nothing_heavy():
    assert not loaded_by("import similia") & (HEAVY | {"numpy", "apsw"})


@pytest.mark.parametrize("room", ROOMS)
def test_importing_a_room_loads_nothing_heavy(room):
    assert not loaded_by(f"import similia.{room}") & (HEAVY - {"typer", "rich"} if room == "cli" else HEAVY)


def test_importing_a_filter_loads_the_parser_only_when_it_parses():
    assert "sqlglot" not in loaded_by("from similia.index import Predicate")
    assert "sqlglot" in loaded_by("from similia.index import Predicate; Predicate.parse('x = 1', {'x': 'integer'})")


@pytest.mark.parametrize("path", sorted(SOURCE.rglob("*.py")), ids=lambda path: str(path.relative_to(SOURCE)))
def test_files_are_small_enough_to_read_in_one_sitting(path):
    lines = len(path.read_text(encoding="utf-8").splitlines())
    assert lines <= LONGEST_FILE, f"{path.relative_to(PROJECT)} has {lines} lines; {LONGEST_FILE} are the most"


@pytest.mark.parametrize("room", ["", *ROOMS])
def test_every_public_name_is_documented(room):
    module = importlib.import_module(f"similia.{room}".rstrip("."))
    assert module.__doc__, f"{module.__name__} does not say what it is for"
    for name in getattr(module, "__all__", []):
        value = getattr(module, name)
        if inspect.isroutine(value) or inspect.isclass(value) or inspect.ismodule(value):
            assert _own_docstring(value), f"{module.__name__}.{name} has no docstring"


def _own_docstring(value: object) -> str:
    """The docstring written for this object: not the signature that a dataclass makes up, nor an inherited one."""
    text = vars(value).get("__doc__") if inspect.isclass(value) else value.__doc__
    made_up = inspect.isclass(value) and (text or "").startswith(f"{value.__name__}(")
    return "" if made_up else (text or "").strip()
