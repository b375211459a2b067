"""The systems of the atlas: one module each, ``sNNN_name.py``, that describes it and composes it from the rooms."""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Protocol, cast

from similia.atlas.result import Claim
from similia.errors import InputError

MODULE = re.compile(r"s(\d{3})_\w+")


@dataclass(frozen=True)
class SystemInfo:
    """What the atlas knows about a published system before running it.

    Attributes:
        number: of the system.
        name: what its authors call it.
        title: what it does, in one line.
        paper: authors, title, place and year.
        status: ``complete``, or ``partial`` with what is missing.
        rooms: the rooms of Similia that it is composed of.
        claims: what a run checks, one sentence each.
        data: the data sets that it needs.
        encoder: whether the default encoder makes vectors for it, where ``encode`` is among the rooms.
    """

    number: int
    name: str
    title: str
    paper: str
    status: str
    rooms: tuple[str, ...]
    claims: tuple[str, ...]
    data: tuple[str, ...]
    encoder: bool = True


@dataclass(frozen=True)
class Settings:
    """How a system is to be run.

    Attributes:
        seed: all randomness comes from it.
        quick: take the smaller sample that the module documents.
        progress: as in `similia.progress.bar`.
    """

    seed: int = 0
    quick: bool = False
    progress: bool | None = None


class System(Protocol):
    """A module of the atlas."""

    INFO: SystemInfo

    def run(self, settings: Settings) -> Sequence[Claim]:
        """Run method and baselines and judge each claim."""
        ...


@cache
def modules() -> dict[int, str]:
    """Number -> name of the module, without importing any."""
    import similia.atlas as package

    found = {}
    for module in pkgutil.iter_modules(package.__path__):
        if match := MODULE.fullmatch(module.name):
            found[int(match[1])] = f"{package.__name__}.{module.name}"
    return dict(sorted(found.items()))


def system(number: int) -> System:
    """The module of a system; what is heavy in it is imported when it runs.

    Raises:
        InputError: there is no such system.

    Examples:
        >>> system(44).INFO.name
        'Excision Score'
    """
    known = modules()
    if number not in known:
        raise InputError(f"the atlas has no system {number}; it has {', '.join(map(str, known))}")
    return cast(System, importlib.import_module(known[number]))


def systems() -> list[SystemInfo]:
    """All systems, by number.

    Examples:
        >>> [info.number for info in systems()]
        [3, 4, 12, 13, 19, 21, 22, 24, 25, 26, 29, 44, 46, 49, 62, 78, 99, 100, 106, 107]
    """
    return [system(number).INFO for number in modules()]
