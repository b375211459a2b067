"""Docstrings that no source file shows: built-in types, C extensions, NumPy's ufuncs, SciPy's distributions.

Run as a program in a process of its own (``python -m similia.demo.harvest.live numpy numpy.linalg``), it imports the
modules named, all of them from the list below, and prints one JSON object a documented thing.
"""

from __future__ import annotations

import importlib
import inspect
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from types import ModuleType
from typing import Any

TIMEOUT = 30.0  # seconds for one package

# package -> the modules of it that may be imported. All are known to do nothing on import but define things.
ALLOWED: dict[str, tuple[str, ...]] = {
    "python": (
        "builtins", "array", "ast", "binascii", "bisect", "bz2", "calendar", "cmath", "codecs", "collections",
        "contextvars", "csv", "ctypes", "datetime", "decimal", "difflib", "errno", "fcntl", "functools", "gc",
        "hashlib", "heapq", "hmac", "io", "itertools", "json", "lzma", "marshal", "math", "mmap", "operator", "os",
        "os.path", "pickle", "pwd", "queue", "random", "re", "resource", "select", "selectors", "signal", "socket",
        "sqlite3", "ssl", "statistics", "string", "struct", "subprocess", "sys", "tempfile", "termios", "threading",
        "time", "tracemalloc", "types", "unicodedata", "uuid", "weakref", "xml.etree.ElementTree", "zlib", "zoneinfo",
    ),
    "numpy": (
        "numpy", "numpy.linalg", "numpy.fft", "numpy.random", "numpy.char", "numpy.strings", "numpy.polynomial",
        "numpy.ma",
    ),
    "scipy": (
        "scipy.special", "scipy.stats", "scipy.spatial", "scipy.spatial.distance", "scipy.ndimage", "scipy.linalg",
        "scipy.signal", "scipy.interpolate", "scipy.optimize", "scipy.sparse", "scipy.sparse.csgraph",
        "scipy.cluster.hierarchy",
    ),
    "pandas": ("pandas",),
    "pyarrow": ("pyarrow", "pyarrow.compute"),
    "apsw": ("apsw",),
    "duckdb": ("duckdb",),
    "orjson": ("orjson",),
    "tokenizers": ("tokenizers", "tokenizers.models", "tokenizers.normalizers", "tokenizers.pre_tokenizers"),
    "selectolax": ("selectolax.lexbor", "selectolax.parser"),
    "lxml": ("lxml.etree",),
    "polars": (),
}  # fmt: skip

ALL_ALLOWED = {module for group in ALLOWED.values() for module in group}

# Types of callables that C, C++ and Cython make, or that a module binds (random.sample). A SciPy distribution is known
# by a docstring in its own __dict__.
COMPILED = {
    "builtin_function_or_method", "cython_function_or_method", "fused_cython_function", "ufunc", "MultiUFunc",
    "_ArrayFunctionDispatcher", "method",
}  # fmt: skip


def inspect_package(package: str, *, timeout: float = TIMEOUT) -> list[dict[str, Any]]:
    """What a package's compiled modules document, found by importing them in another process.

    Args:
        package: its top-level name; one that is not in `ALLOWED` gives nothing.
        timeout: seconds after which the other process is stopped and nothing is returned.

    Returns:
        Objects with ``key``, ``module``, ``kind``, ``signature``, ``parameters`` (-1: not known) and ``doc``; none
        where an import fails.

    Examples:
        >>> inspect_package("a package that is not on the list")
        []
    """
    modules = ALLOWED.get(package, ())
    if not modules:
        return []
    quiet = {**os.environ, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "PYTHONWARNINGS": "ignore"}
    command = [sys.executable, "-m", __name__, *modules]
    try:
        done = subprocess.run(command, capture_output=True, timeout=timeout, env=quiet, check=False)  # noqa: S603
    except (subprocess.TimeoutExpired, OSError):
        return []
    lines = done.stdout.decode("utf-8", "replace").splitlines()
    return [json.loads(line) for line in lines if line.startswith("{")]  # the rest is what a module said on import


def _documented(module: ModuleType) -> Iterator[dict[str, Any]]:
    """The public things of ``module`` that no Python source defines, and the methods of its compiled classes."""
    listed = getattr(module, "__all__", None)
    for name in sorted(listed if isinstance(listed, list | tuple) else dir(module)):
        try:
            value = getattr(module, name)
        except Exception:  # noqa: BLE001, S112 - a lazy attribute may need what is not installed
            continue
        if name.startswith("_") or isinstance(value, ModuleType) or inspect.isfunction(value):
            continue
        proper = getattr(value, "__name__", name)
        if proper != name and getattr(module, proper, None) is value:
            continue  # another name for what has one: IOError, numpy.half
        owner = getattr(value, "__module__", None)
        if isinstance(owner, str) and owner != module.__name__ and owner in ALL_ALLOWED:
            continue  # brought in from another module of the list, and read there: sqlite3.Date
        key = name if module.__name__ == "builtins" else f"{module.__name__}.{name}"
        if inspect.isclass(value):
            if not _in_source(value):
                yield from _row(key, module.__name__, "class", value, vars(value).get("__doc__"))
                for method in sorted(vars(value)):
                    member = getattr(value, method, None)
                    if not method.startswith("_") and callable(member) and not inspect.isclass(member):
                        yield from _row(f"{key}.{method}", module.__name__, "method", member, inspect.getdoc(member))
        elif callable(value) and (type(value).__name__ in COMPILED or "__doc__" in getattr(value, "__dict__", {})):
            yield from _row(key, module.__name__, "function", value, value.__doc__)


def _in_source(value: type) -> bool:
    """Whether the class was made by a ``class`` statement in a Python file, where it has been read already."""
    return any(inspect.isfunction(member) for member in vars(value).values()) or "__dict__" in vars(value)


def _row(key: str, module: str, kind: str, value: Any, doc: object) -> Iterator[dict[str, Any]]:
    if not isinstance(doc, str) or not doc.strip():
        return
    try:
        parameters = [p for p in inspect.signature(value).parameters.values() if p.name not in ("self", "cls")]
        shown = [p.replace(annotation=inspect.Parameter.empty) for p in parameters]
        signature, count = str(inspect.Signature(shown)), len(shown)
    except (ValueError, TypeError):
        signature, count = "", -1
    yield {"key": key, "module": module, "kind": kind, "signature": signature, "parameters": count, "doc": doc}


def main(modules: list[str]) -> None:
    """Import ``modules`` and print what they document; one that cannot be imported is passed over."""
    for name in modules:
        if name not in ALL_ALLOWED:
            continue
        try:
            module = importlib.import_module(name)
        except Exception:  # noqa: BLE001, S112 - another package's import may fail in any way; that is its affair
            continue
        for row in _documented(module):
            print(json.dumps(row))


if __name__ == "__main__":
    main(sys.argv[1:])
