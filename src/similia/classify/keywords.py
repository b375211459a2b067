"""Classes as people describe them: a name and keywords, checked before anything is encoded."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

import numpy as np

from similia.errors import InputError
from similia.types import Float32, MultiVector, as_vectors


def check_classes(classes: Mapping[str, Sequence[str]]) -> dict[str, tuple[str, ...]]:
    """Return class name -> keywords, trimmed and without repetitions; each class keeps at least one.

    Raises:
        InputError: no class, a class without a name, or a class whose keywords are no list of non-empty strings.

    Examples:
        >>> check_classes({"sport": ["football", " Football ", "tennis"]})
        {'sport': ('football', 'tennis')}
        >>> check_classes({"sport": []})
        Traceback (most recent call last):
        similia.errors.InputError: class 'sport' has no keywords; give at least one word, its name for instance
    """
    if not classes:
        raise InputError("there are no classes; give at least one name with keywords")
    checked: dict[str, tuple[str, ...]] = {}
    for given, keywords in classes.items():
        name = _text(given, "a class name").strip()
        if not name:
            raise InputError(f"class {given!r}: a class needs a name that is not empty")
        if name in checked:
            raise InputError(f"class {name!r} is described twice; put all its keywords in one place")
        if isinstance(keywords, str) or not isinstance(keywords, Sequence):
            raise InputError(f"class {name!r}: keywords must be a list of strings, not {type(keywords).__name__}")
        kept: dict[str, str] = {}
        for keyword in keywords:
            if word := " ".join(_text(keyword, f"a keyword of class {name!r}").split()):
                kept.setdefault(word.casefold(), word)
        if not kept:
            raise InputError(f"class {name!r} has no keywords; give at least one word, its name for instance")
        checked[name] = tuple(kept.values())
    return checked


def parse_classes(lines: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """Read one class a line: ``name``, or ``name: keyword, keyword``; the name alone is its own keyword.

    Empty lines and lines that begin with ``#`` say nothing.

    Raises:
        InputError: as `check_classes`; a line without a name.

    Examples:
        >>> parse_classes(["sport: football, tennis", "", "audio"])
        {'sport': ('football', 'tennis'), 'audio': ('audio',)}
    """
    classes: dict[str, list[str]] = {}
    for number, line in enumerate(lines, start=1):
        text = line.strip()
        if not text or text.startswith("#"):
            continue
        name, colon, keywords = (part.strip() for part in text.partition(":"))
        if not name:
            raise InputError(f"line {number}: {text!r} has no class name before the colon")
        if name in classes:
            raise InputError(f"line {number}: class {name!r} is described twice; put all its keywords on one line")
        classes[name] = [word for word in keywords.split(",") if word.strip()] if colon else [name]
    return check_classes(classes)


def encode_classes(
    classes: Mapping[str, Sequence[str]], encode: Callable[[list[str]], Float32]
) -> tuple[tuple[str, ...], MultiVector]:
    """Encode each keyword by itself.

    Args:
        classes: class name -> keywords.
        encode: strings -> float32 (n, d).

    Returns:
        The names (c,), and a multi-vector with one row of keyword vectors a class.

    Raises:
        InputError: as `check_classes`.

    Examples:
        >>> names, seeds = encode_classes({"a": ["x", "yy"]}, lambda w: np.array([[len(t), 1] for t in w]))
        >>> names, seeds.vectors.tolist()
        (('a',), [[1.0, 1.0], [2.0, 1.0]])
    """
    checked = check_classes(classes)
    vectors = as_vectors(encode([word for words in checked.values() for word in words]), name="keywords")
    return tuple(checked), MultiVector(vectors, np.cumsum([0, *map(len, checked.values())]))


def _text(value: object, what: str) -> str:
    if not isinstance(value, str):
        raise InputError(f"{what} is {value!r}, which is no string")
    return value
