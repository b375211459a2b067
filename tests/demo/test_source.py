from __future__ import annotations

import importlib
import inspect
import re
from pathlib import Path

import pytest

from similia.demo.harvest import source

CODE = '''
"""A module."""
__all__ = ["one", "Two"]
__all__ += ["three"]

def one(a, /, b=1, *rest, c, d=None, **more) -> int:
    """First."""

async def later(x):
    """Coroutine."""

def _hidden():
    """Not shown."""

def silent(): ...

class Two:
    """Second."""
    size: int
    def __init__(self, size, *, colour="red"): ...
    def grow(self, by):
        """Grow."""
    @property
    def area(self):
        """Not called."""
    @staticmethod
    def make(kind):
        """Make."""
    class Inner:
        """Not listed."""

class Record:
    """Data."""
    left: int
    right: int = 0

try:
    from fast import three
except ImportError:
    def three():
        """Third."""
'''


@pytest.fixture
def module(tmp_path: Path) -> source.Module:
    path = tmp_path / "thing.py"
    path.write_text(CODE, encoding="utf-8")
    read = source.read(path, "pack.thing")
    assert read is not None
    return read


def test_documented_public_definitions_are_found(module: source.Module) -> None:
    found = {one.name: (one.kind, one.signature, one.parameters) for one in module.definitions}
    assert found == {
        "one": ("function", "(a, /, b=1, *rest, c, d=None, **more) -> int", 6),
        "later": ("function", "(x)", 1),
        "Two": ("class", "(size, *, colour='red')", 2),
        "Two.grow": ("method", "(by)", 1),
        "Two.make": ("method", "(kind)", 1),
        "Record": ("class", "(left, right)", 2),
        "three": ("function", "()", 0),
    }
    assert module.public == ["one", "Two", "three"]
    assert ("fast", "three", "three") in module.imports


@pytest.mark.parametrize(
    ("text", "public"),
    [
        ("__all__ = ['a'] + ['b']", ["a", "b"]),
        ("__all__ = [name for name in dir()]", None),
        ("__all__ = ['a']\n__all__ += other.__all__", None),
        ("x = 1", None),
    ],
)
def test_an_all_that_is_computed_counts_as_none(tmp_path: Path, text: str, public: list[str] | None) -> None:
    path = tmp_path / "m.py"
    path.write_text(text, encoding="utf-8")
    read = source.read(path, "m")
    assert read is not None
    assert read.public == public


@pytest.mark.parametrize(
    ("statement", "file", "base"),
    [
        ("from . import x", "__init__.py", "pack.sub"),
        ("from . import x", "leaf.py", "pack.sub"),
        ("from .. import x", "leaf.py", "pack"),
        ("from ..other import x", "leaf.py", "pack.other"),
        ("from plain import x", "leaf.py", "plain"),
    ],
)
def test_relative_imports_are_made_absolute(tmp_path: Path, statement: str, file: str, base: str) -> None:
    path = tmp_path / file
    path.write_text(statement, encoding="utf-8")
    read = source.read(path, "pack.sub" if file == "__init__.py" else "pack.sub.leaf")
    assert read is not None
    assert read.imports == [(base, "x", "x")]


@pytest.mark.parametrize("content", [b"def f(:", b"\xff\xfe\x00", b"x = '\\q'\n" + b"(" * 300])
def test_what_is_not_python_is_passed_over(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "bad.py"
    path.write_bytes(content)
    assert source.read(path, "bad") is None


@pytest.mark.parametrize("name", ["textwrap", "statistics", "shutil", "heapq", "difflib", "tempfile", "tokenize"])
def test_signatures_agree_with_inspect(name: str) -> None:
    real = importlib.import_module(name)
    read = source.read(Path(str(real.__file__)), name)
    assert read is not None
    compared = 0
    for one in read.definitions:
        value = getattr(real, one.name, None)
        plain = inspect.isfunction(value) and value.__module__ == name and hasattr(value, "__code__")
        if one.kind == "function" and plain and inspect.getsource(value).startswith(("def", "@")):
            real_parameters = inspect.signature(value).parameters
            assert one.parameters == len(real_parameters)
            inside = one.signature.partition(" -> ")[0]
            found = [re.search(rf"(?<=[(* ]){parameter}(?=[,=)])", inside) for parameter in real_parameters]
            places = [-1 if one is None else one.start() for one in found]
            assert -1 not in places
            assert places == sorted(places)
            assert one.lines == len(inspect.getsource(value).splitlines()) - _decorators(value)
            compared += 1
    assert compared >= 2


def _decorators(function: object) -> int:
    lines = inspect.getsource(function).splitlines()  # type: ignore[arg-type]
    return next(place for place, line in enumerate(lines) if line.lstrip().startswith(("def ", "async def ")))
