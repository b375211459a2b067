"""Answers: JSON that every client can read, and errors of one sentence that give nothing of the machine away."""

from __future__ import annotations

import json
import math
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from starlette.responses import Response

from similia.errors import (
    CollectionBusy,
    CollectionDamaged,
    CollectionNotFound,
    InputError,
    SimiliaError,
    StorageError,
    StorageFull,
    UnknownItem,
)

STATUS: tuple[tuple[type[SimiliaError], int], ...] = (
    (UnknownItem, 404),  # UnknownSense is one of these
    (CollectionNotFound, 404),
    (CollectionBusy, 503),
    (StorageFull, 507),
    (StorageError, 500),
    (CollectionDamaged, 500),
    (InputError, 422),
)


def status_of(error: SimiliaError) -> int:
    """HTTP status of an error: the first kind in `STATUS` that it is, else 400.

    Examples:
        >>> from similia.errors import FilterError, UnknownSense
        >>> status_of(UnknownSense("no such sense")), status_of(FilterError("?")), status_of(SimiliaError("?"))
        (404, 422, 400)
    """
    return next((status for kind, status in STATUS if isinstance(error, kind)), 400)


def headers_of(error: SimiliaError) -> dict[str, str]:
    """Headers that tell a client what to do about ``error``."""
    return {"Retry-After": "5"} if isinstance(error, CollectionBusy) else {}


def discreet(message: str, folders: Iterable[Path]) -> str:
    """``message`` without the places on this machine that it may name.

    Args:
        message: what an error says.
        folders: collections and other folders that clients need not know; temporary ones are added.

    Examples:
        >>> discreet("/srv/data/papers/collection.db is damaged", [Path("/srv/data/papers")])
        'papers/collection.db is damaged'
    """
    places = {str(folder.parent) for folder in folders}
    places |= {str(folder.resolve().parent) for folder in folders}
    places |= {tempfile.gettempdir(), str(Path(tempfile.gettempdir()).resolve()), str(Path.home()), str(Path.cwd())}
    for place in sorted(places, key=len, reverse=True):
        if len(place) > 1:
            message = message.replace(place + "/", "").replace(place, "")
    return message


def to_json(value: Any) -> bytes:
    """JSON of ``value``: NumPy values as numbers, NaN and infinity as null, integers of any size.

    Examples:
        >>> to_json({"a": float("nan"), "b": 2**70, "c": (1, True)})
        b'{"a":null,"b":1180591620717411303424,"c":[1,true]}'
    """
    import orjson

    try:
        return orjson.dumps(value, option=orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_NON_STR_KEYS, default=_plain)
    except TypeError:  # an integer beyond 64 bits, or half of a surrogate pair: the standard library writes both
        return json.dumps(_finite(value), separators=(",", ":"), default=_plain).encode()


def _plain(value: Any) -> Any:
    for method in ("tolist", "isoformat", "to_dict"):
        if hasattr(value, method):
            return getattr(value, method)()
    return str(value)


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(key): _finite(part) for key, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(part) for part in value]
    if hasattr(value, "tolist"):
        return _finite(value.tolist())
    return value


class Json(Response):
    """A JSON answer, written by `to_json`."""

    media_type = "application/json"

    def render(self, content: Any) -> bytes:
        """Body of ``content``."""
        return to_json(content)


def refusal(status: int, sentence: str, headers: Mapping[str, str] | None = None) -> Json:
    """An error of the API: ``{"detail": "one sentence"}``."""
    return Json({"detail": sentence}, status_code=status, headers=dict(headers or {}))
