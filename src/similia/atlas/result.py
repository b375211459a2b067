"""What a run of a published system found: its claims, the numbers, and a verdict for each."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, Literal, TypeAlias, get_args

from similia.errors import InputError

Verdict: TypeAlias = Literal["reproduced", "not reproduced", "not run"]
FORMAT = 1
"""Version of the stored form."""


@dataclass(frozen=True)
class Claim:
    """One claim, what was measured, and whether it holds.

    Attributes:
        number: as in the description of the system.
        says: the claim in one sentence.
        threshold: what must hold, in numbers, fixed before the run.
        verdict: whether it does.
        measured: name -> number, of the method.
        baseline: name -> number, of what it is compared with.
        note: what to know when reading the numbers.
    """

    number: int
    says: str
    threshold: str
    verdict: Verdict
    measured: Mapping[str, float] = field(default_factory=dict)
    baseline: Mapping[str, float] = field(default_factory=dict)
    note: str = ""


@dataclass(frozen=True)
class Result:
    """One run of one system.

    Attributes:
        system: its number.
        name: its name.
        claims: in order.
        data: name -> origin and checksum of each data set used.
        seed: all randomness came from it.
        quick: whether a smaller sample was used.
        versions: of Similia, Python, NumPy and SQLite.
        encoder: name and fingerprint of the encoder, if one was used.
        seconds: wall time of the run; encoded texts may have come from the cache.
    """

    system: int
    name: str
    claims: tuple[Claim, ...]
    data: Mapping[str, str]
    seed: int
    quick: bool
    versions: Mapping[str, str]
    encoder: str
    seconds: float

    @property
    def verdict(self) -> str:
        """The verdicts of the claims that were run, in words: "reproduced", "4 of 5 reproduced" and so on."""
        ran = [claim for claim in self.claims if claim.verdict != "not run"]
        held = sum(claim.verdict == "reproduced" for claim in ran)
        if not ran:
            return "not run"
        if held in (0, len(ran)):
            return "reproduced" if held else "not reproduced"
        return f"{held} of {len(ran)} reproduced"

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return {"format": FORMAT, **asdict(self), "verdict": self.verdict}

    @classmethod
    def from_dict(cls, stored: Any, *, source: str = "result") -> Result:
        """Read what `to_dict` wrote, checking every field.

        Raises:
            InputError: a field is missing, unknown, or of another type.
        """
        content = _checked(stored, cls, source, extra={"format": int, "verdict": str})
        if stored["format"] != FORMAT:
            raise InputError(f"{source}: written in format {stored['format']}; this version reads format {FORMAT}")
        claims = [
            _claim(claim, f"{source}: claim {place}") for place, claim in enumerate(content.pop("claims"), start=1)
        ]
        return cls(claims=tuple(claims), **content)

    def write(self, folder: Path) -> Path:
        """Store as ``NNN.json`` in ``folder``, whole or not at all, and return the path."""
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{self.system:03d}.json"
        part = path.with_suffix(".part")
        part.write_text(json.dumps(self.to_dict(), indent=1, ensure_ascii=False) + "\n", "utf-8")
        part.replace(path)
        return path

    @classmethod
    def read(cls, path: Path) -> Result:
        """Read a stored result.

        Raises:
            InputError: the file is no result.
        """
        try:
            stored = json.loads(path.read_text("utf-8"))
        except (OSError, ValueError) as error:
            raise InputError(f"{path} cannot be read as a result of the atlas ({error})") from None
        return cls.from_dict(stored, source=str(path))


def claim(number: int, says: str, threshold: str, holds: bool | None, **rest: Any) -> Claim:
    """A claim with its verdict from whether the threshold was met; None where it was not run.

    Examples:
        >>> claim(1, "a is above b", "a - b >= 0.1", 0.5 - 0.3 >= 0.1, measured={"a": 0.5}).verdict
        'reproduced'
    """
    verdict: Verdict = "not run" if holds is None else "reproduced" if holds else "not reproduced"
    for side in ("measured", "baseline"):
        rest[side] = {name: round(float(value), 6) for name, value in rest.get(side, {}).items()}
    return Claim(number, says, threshold, verdict, **rest)


TYPES: Mapping[str, type | tuple[type, ...]] = {
    "system": int,
    "name": str,
    "claims": Sequence,
    "data": Mapping,
    "seed": int,
    "quick": bool,
    "versions": Mapping,
    "encoder": str,
    "seconds": (int, float),
    "number": int,
    "says": str,
    "threshold": str,
    "verdict": str,
    "measured": Mapping,
    "baseline": Mapping,
    "note": str,
}


def _claim(stored: Any, source: str) -> Claim:
    content = _checked(stored, Claim, source, extra={})
    if content["verdict"] not in get_args(Verdict):
        raise InputError(f"{source}: verdict {content['verdict']!r} is not one of {', '.join(get_args(Verdict))}")
    for side in ("measured", "baseline"):
        for name, value in content[side].items():
            if isinstance(value, bool) or not isinstance(value, int | float):
                raise InputError(f"{source}: {side} {name!r} is {value!r}, which is no number")
    return Claim(**content)


def _checked(stored: Any, kind: type, source: str, extra: Mapping[str, type]) -> dict[str, Any]:
    """The fields of a dataclass in a stored mapping, all there and of their types."""
    if not isinstance(stored, Mapping):
        raise InputError(f"{source}: expected a JSON object, got {type(stored).__name__}")
    names = [known.name for known in fields(kind)]
    wrong = {*stored} ^ {*names, *extra}
    if wrong:
        name = min(wrong)
        raise InputError(f"{source}: field {name!r} is {'unknown' if name in stored else 'missing'}")
    for name in [*names, *extra]:
        wanted = extra.get(name) or TYPES[name]
        value = stored[name]
        if not isinstance(value, wanted) or (isinstance(value, bool) and wanted is not bool):
            raise InputError(f"{source}: field {name!r} is of type {type(value).__name__}")
    return {name: stored[name] for name in names}
