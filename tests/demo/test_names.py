from __future__ import annotations

import importlib
from functools import reduce
from pathlib import Path

import pytest

from similia.demo.harvest import packages, source
from similia.demo.harvest.names import public_names


def _modules(root: Path, files: dict[str, str]) -> list[source.Module]:
    modules = []
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        parts = path.relative_to(root).with_suffix("").parts
        module = source.read(path, ".".join(parts[:-1] if parts[-1] == "__init__" else parts))
        assert module is not None
        modules.append(module)
    return modules


def _names(root: Path, files: dict[str, str]) -> list[str]:
    return [name for name, _ in public_names(_modules(root, files))]


FUNCTION = 'def {0}():\n    """Do {0}."""\n'


def test_a_reexport_gives_the_shortest_public_name(tmp_path: Path) -> None:
    files = {
        "pack/__init__.py": "from .deep import *\nfrom ._impl import two as second",
        "pack/deep/__init__.py": "from .._impl import one",
        "pack/_impl.py": FUNCTION.format("one") + FUNCTION.format("two") + FUNCTION.format("three"),
    }
    assert _names(tmp_path, files) == ["pack.one", "pack.second"]


def test_import_circles_end(tmp_path: Path) -> None:
    files = {
        "pack/__init__.py": "from .a import *\nfrom .b import *",
        "pack/a.py": "from .b import *\n" + FUNCTION.format("one"),
        "pack/b.py": "from .a import *\nfrom . import one\n" + FUNCTION.format("two"),
    }
    assert _names(tmp_path, files) == ["pack.one", "pack.two"]


def test_all_decides_what_is_public(tmp_path: Path) -> None:
    files = {"m.py": "__all__ = ['one']\n" + FUNCTION.format("one") + FUNCTION.format("two")}
    assert _names(tmp_path, files) == ["m.one"]


def test_what_another_package_defines_is_not_taken_for_ones_own(tmp_path: Path) -> None:
    files = {"pack/__init__.py": "from other import one", "other.py": FUNCTION.format("one")}
    assert _names(tmp_path, files) == ["other.one"]


def test_methods_follow_their_class(tmp_path: Path) -> None:
    files = {
        "pack/__init__.py": "from ._impl import Thing",
        "pack/_impl.py": 'class Thing:\n    """A thing."""\n    def go(self):\n        """Go."""\n',
    }
    assert _names(tmp_path, files) == ["pack.Thing", "pack.Thing.go"]


@pytest.mark.parametrize("name", ["json", "urllib", "concurrent", "email", "jinja2", "rich", "numpy"])
def test_every_name_leads_to_the_thing_that_it_names(name: str) -> None:
    package = packages.installed([name])[0]
    files = [(path, module) for path, module in packages.source_files(package) if "matlib" not in module]
    modules = [module for path, dotted in files if (module := source.read(path, dotted)) is not None]
    pairs = public_names(modules)
    assert len(pairs) > 5
    keys = [key for key, _ in pairs]
    assert len(keys) == len(set(keys)) or name == "numpy"
    wrong = []
    for key, one in pairs[:: max(len(pairs) // 120, 1)]:
        depth = 2 if one.kind == "method" else 1
        parts = key.split(".")
        try:
            module = importlib.import_module(".".join(parts[:-depth]))
            value = reduce(getattr, parts[-depth:], module)
        except (ImportError, AttributeError):
            wrong.append(key)
            continue
        doc = getattr(value, "__doc__", None) or ""
        if one.doc.split()[:3] != doc.split()[:3]:
            wrong.append(key)
    assert len(wrong) <= 0.12 * min(len(pairs), 120), wrong  # a C twin, a lazy module or a decorator may differ
