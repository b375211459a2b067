"""From packages to records: one a documented function, class or method, without repeats and within a limit."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from similia.demo.harvest import docstrings, live, names, packages, source

Record = dict[str, Any]

# What the fields are, as `similia add --schema` would take them.
SCHEMA = {
    "key": "text",
    "name": "text",
    "summary": "text",
    "text": "text",
    "signature": "text",
    "package": "category",
    "module": "category",
    "kind": "category",
    "parameters": "integer",
    "length": "integer",
    "has_examples": "boolean",
}

KNOWN_SHARE = 2 / 3  # of the limit, for the packages in `packages.FIRST`
_ENOUGH = 1.5  # stop reading packages once this many times the limit are at hand


@dataclass(frozen=True)
class Harvest:
    """What was found: ``records`` in a fixed order; per package, how many were ``kept`` of how many ``found``."""

    records: list[Record]
    found: dict[str, int]
    kept: dict[str, int]
    versions: dict[str, str]
    left_out: list[str]  # packages that were not read because enough was at hand


def harvest(
    limit: int = 14_000,
    only: list[str] | None = None,
    *,
    tell: Callable[[str, int], None] = lambda package, count: None,
) -> Harvest:
    """Read the documentation of the installed packages.

    Args:
        limit: at most so many records; where there are more, every package keeps a share, its top-level
            functions and classes first.
        only: the packages to read; None reads all, the well-known ones first.
        tell: called after each package with its name and the number of its records.

    Returns:
        The same records in the same order for the same packages and limit.

    Examples:
        >>> read = harvest(50, ["json"])
        >>> any(record["key"] == "json.loads" for record in read.records)
        True
    """
    found: dict[str, list[Record]] = {}
    versions: dict[str, str] = {}
    left_out: list[str] = []
    total = 0
    for package in packages.installed(only):
        if total >= limit * _ENOUGH:
            left_out.append(package.name)
            continue
        records = package_records(package)
        if records:
            found[package.name], versions[package.name] = records, package.version
            total += len(records)
            tell(package.name, len(records))
    shares = fair_shares({name: len(records) for name, records in found.items()}, limit)
    kept = {name: sorted(records, key=_importance)[: shares[name]] for name, records in found.items()}
    return Harvest(
        records=[record for name in found for record in sorted(kept[name], key=lambda record: str(record["key"]))],
        found={name: len(records) for name, records in found.items()},
        kept={name: len(records) for name, records in kept.items()},
        versions=versions,
        left_out=left_out,
    )


def package_records(package: packages.Package) -> list[Record]:
    """Every documented public thing of one package, each under one name."""
    modules = [
        module for path, name in packages.source_files(package) if (module := source.read(path, name)) is not None
    ]
    rows: list[Record | None] = [
        _record(package.name, key, one.module, one.kind, one.doc, one.signature, one.parameters, one.lines)
        for key, one in names.public_names(modules)
    ]
    rows += [
        _record(
            package.name, one["key"], one["module"], one["kind"], one["doc"], one["signature"], one["parameters"], None
        )
        for one in live.inspect_package(package.name)
    ]
    return _without_repeats(row for row in rows if row is not None)


def fair_shares(sizes: dict[str, int], limit: int) -> dict[str, int]:
    """How much of ``limit`` each package may use: `KNOWN_SHARE` of it is for the well-known ones.

    Within the well-known ones, and within the others, each has all it needs where that is little, else an equal share
    of what is left.

    Examples:
        >>> fair_shares({"numpy": 100, "small": 10, "large": 100}, 90)
        {'numpy': 60, 'small': 10, 'large': 20}
    """
    known = {name: size for name, size in sizes.items() if name in packages.FIRST}
    others = {name: size for name, size in sizes.items() if name not in known}
    shares = _equal_shares(known, max(int(limit * KNOWN_SHARE), limit - sum(others.values())))
    shares |= _equal_shares(others, limit - sum(shares.values()))
    return {name: shares[name] for name in sizes}


def _equal_shares(sizes: dict[str, int], limit: int) -> dict[str, int]:
    shares: dict[str, int] = {}
    for place, name in enumerate(sorted(sizes, key=lambda name: (sizes[name], name))):
        shares[name] = min(sizes[name], (limit - sum(shares.values())) // (len(sizes) - place))
    return shares


def _record(
    package: str, key: str, module: str, kind: str, docstring: str, signature: str, parameters: int, lines: int | None
) -> Record | None:
    key = re.sub(r"^posixpath\.", "os.path.", key)  # what it is called by those who use it
    name = key.rsplit(".", 1)[-1]
    doc = docstrings.read(docstring, name)
    if len(doc.summary.split()) < 2 or not doc.summary.isprintable():
        return None
    if doc.call and parameters < 0:
        signature, parameters = doc.call[: source.SIGNATURE_LIMIT], _count(doc.call)
    public = key.rsplit(".", 1)[0] if "." in key else module
    if kind == "method":
        public = public.rsplit(".", 1)[0] if "." in public else module
    record: Record = {
        "key": key,
        "name": spoken(key, kind),
        "summary": doc.summary,
        "text": doc.text,
        "signature": f"{name}{signature}",
        "package": package,
        "module": public,
        "kind": kind,
    }
    if parameters >= 0:
        record["parameters"] = parameters
    if lines is not None:
        record["length"] = lines
    return record | {"has_examples": doc.has_examples}


def spoken(key: str, kind: str) -> str:
    """The last name of a key as words (a method's class too), so that an encoder and full text can read it.

    Examples:
        >>> spoken("collections.OrderedDict.move_to_end", "method")
        'ordered dict move to end'
        >>> spoken("urllib.parse.urlsplit", "function")
        'urlsplit'
    """
    parts = key.split(".")[-2:] if kind == "method" else key.split(".")[-1:]
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|[_.]+", " ", " ".join(parts))
    return " ".join(words.lower().split())


def _count(call: str) -> int:
    """How many parameters a call written as text has: ``(x1, x2, /, out=None)`` has three."""
    depth, parts = 0, [""]
    for character in call.partition("->")[0].strip()[1:-1]:
        depth += (character in "([{") - (character in ")]}")
        if character == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += character
    return sum(part.strip(" []") not in ("", "/", "*") for part in parts)


def _without_repeats(records: Iterable[Record]) -> list[Record]:
    """One record a key, and one of those that say the same under the same last name: re-exports not seen through."""
    keys: set[str] = set()
    said: set[tuple[str, str, str]] = set()
    kept = []
    for record in sorted(records, key=_importance):
        same = (str(record["name"]), str(record["text"]), str(record["signature"]))
        if record["key"] not in keys and same not in said:
            keys.add(str(record["key"]))
            said.add(same)
            kept.append(record)
    return kept


def _importance(record: Record) -> tuple[bool, int, str]:
    """What comes first when not everything fits: short names, and functions and classes before methods."""
    key, kind = str(record["key"]), str(record["kind"])
    return kind == "method", key.count("."), key
