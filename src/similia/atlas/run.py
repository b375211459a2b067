"""Run a system and keep what it found."""

from __future__ import annotations

import platform
import time
from pathlib import Path

from similia.atlas.registry import Settings, system
from similia.atlas.result import Result
from similia.errors import InputError

FOLDER = Path("atlas-results")
"""Where results are written by default, relative to the current folder."""


def run(
    number: int, *, out: Path | str | None = None, quick: bool = False, seed: int = 0, progress: bool | None = None
) -> Result:
    """Run one system on real data and write its result as ``NNN.json``.

    Args:
        number: of the system.
        out: the folder for the result; ``atlas-results`` where None.
        quick: take the smaller sample that the system documents.
        seed: all randomness comes from it.
        progress: whether to show progress; on a terminal where None.

    Raises:
        InputError: there is no such system.
        DatasetMissing: data that it needs is not on this machine; the message says how to get it.
    """
    from similia.evaluate import datasets

    module = system(number)
    info = module.INFO
    entries = [datasets.info(name) for name in info.data]
    for entry in entries:
        entry.source()
    started = time.perf_counter()
    claims = tuple(module.run(Settings(seed=seed, quick=quick, progress=progress)))
    result = Result(
        system=info.number,
        name=info.name,
        claims=claims,
        data={entry.name: f"{entry.origin}, sha256 {entry.sha256}" for entry in entries},
        seed=seed,
        quick=quick,
        versions=versions(),
        encoder=_encoder() if info.encoder and "encode" in info.rooms else "",
        seconds=round(time.perf_counter() - started, 1),
    )
    result.write(FOLDER if out is None else Path(out))
    return result


def results(folder: Path | str | None = None) -> dict[int, Result]:
    """Read stored results, by number of the system.

    Args:
        folder: where they are; where None, ``atlas-results`` in the current folder, and for systems that were not run
            there, the results that are published with Similia.

    Raises:
        InputError: the folder is not there, or a file in it is no result.
    """
    if folder is not None:
        if not Path(folder).is_dir():
            raise InputError(f"there is no folder {folder}; run a system first, or name the folder of its results")
        return _read(Path(folder))
    here = Path(__file__).resolve()
    found: dict[int, Result] = {}
    for place in (here.parents[3] / "docs" / "atlas", here.parent / "published", FOLDER):
        found.update(_read(place))
    return dict(sorted(found.items()))


def versions() -> dict[str, str]:
    """Versions that the numbers may depend on."""
    import apsw
    import numpy

    import similia

    return {
        "similia": similia.__version__,
        "python": platform.python_version(),
        "numpy": numpy.__version__,
        "sqlite": apsw.sqlite_lib_version(),
    }


def _encoder() -> str:
    from similia.encode import load

    encoder = load()
    return f"{encoder.name} {encoder.fingerprint}"


def _read(folder: Path) -> dict[int, Result]:
    found = (Result.read(path) for path in sorted(folder.glob("[0-9][0-9][0-9].json")))
    return {result.system: result for result in found}
