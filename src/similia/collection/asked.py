"""What a search asks for: texts, a vector, items to be like and items not to be like, checked."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from similia.collection.naming import nearest
from similia.errors import InputError
from similia.types import Float32, as_vectors

MODES = ("hybrid", "dense", "text")
UNLIKE = -0.5
"""The weight of an item that hits should not be like; one that they should be like has 1."""


@dataclass(frozen=True)
class Question:
    """What is searched for: at least one text, vector or item to be like.

    Attributes:
        texts: (text, weight) each; below 0 for what is not wanted.
        vector: (1, d), or None.
        like: keys of items.
        unlike: keys of items.
    """

    texts: tuple[tuple[str, float], ...] = ()
    vector: Float32 | None = None
    like: tuple[str, ...] = ()
    unlike: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """The texts that are wanted, as one; "" where there are none."""
        return "; ".join(text for text, weight in self.texts if weight > 0)

    @property
    def worded(self) -> bool:
        """Whether there are words to look for."""
        return bool(self.text or self.like)

    def said(self) -> str:
        """The question in a line, for people."""
        unwanted = [f"not {text}" for text, weight in self.texts if weight < 0]
        parts = [
            self.text or ("a vector" if self.vector is not None else ""),
            *(f"like {key}" for key in self.like),
            *(f"unlike {key}" for key in self.unlike),
            *unwanted,
        ]
        return ", ".join(part for part in parts if part)


def question(query: object, like: object, unlike: object, where: object, mode: str) -> Question:
    """Check what a search asks for.

    Raises:
        InputError: nothing to look for, a blank text, a weight that is none, an unknown mode, a filter that is no
            string, or a vector in a search of words.
    """
    if mode not in MODES:
        raise InputError(f"mode {mode!r} is not one of {', '.join(MODES)}{nearest(str(mode), MODES)}")
    if where is not None and not isinstance(where, str):
        raise InputError(f'where is of type {type(where).__name__}; a filter is a string such as "year >= 2020"')
    wanted, unwanted = _keys(like), _keys(unlike)
    if query is None and not wanted:
        only = "only what it should not be like is" if unwanted else "nothing is"
        raise InputError(
            f"{only} given: search takes a query (text or a vector), or like= the key of an item, or several of these"
        )
    if both := [key for key in wanted if key in unwanted]:
        raise InputError(f"item {both[0]!r} is wanted and unwanted at once; leave it out of like or of unlike")
    if query is None:
        return Question(like=wanted, unlike=unwanted)
    if isinstance(query, str | Mapping):
        return Question(_texts(query, wanted=bool(wanted)), None, wanted, unwanted)
    vector = as_vectors(query, name="the query vector")  # type: ignore[arg-type]
    if len(vector) != 1:
        raise InputError(f"the query holds {len(vector)} vectors; search takes one, of shape (d,)")
    if mode == "text":
        raise InputError("a vector cannot be looked up in full text: leave mode out, or give the query as text")
    if not vector.any():
        raise InputError("the query vector is all zeros and points nowhere")
    return Question((), vector, wanted, unwanted)


def _texts(query: str | Mapping[Any, object], *, wanted: bool) -> tuple[tuple[str, float], ...]:
    if isinstance(query, str):
        if not query.strip():
            raise InputError("the query is blank: give some words, or like= the key of an item")
        return ((_readable(query), 1.0),)
    found = []
    for text, weight in query.items():
        if not isinstance(text, str) or not text.strip():
            raise InputError(f"the query holds {text!r}; a query of several parts maps texts to their weights")
        if isinstance(weight, bool) or not isinstance(weight, int | float) or not math.isfinite(weight) or not weight:
            raise InputError(
                f"the weight of {text!r:.80} is {weight!r}; it is a number, below 0 for what is not wanted"
            )
        found.append((_readable(text), float(weight)))
    if not wanted and not any(weight > 0 for _, weight in found):
        raise InputError("the query has no text with a weight above 0, so there is nothing to look for")
    return tuple(found)


def _readable(text: str) -> str:
    return text.encode(errors="replace").decode()


def _keys(given: object) -> tuple[str, ...]:
    if given is None:
        return ()
    if isinstance(given, Sequence) and not isinstance(given, str | bytes):
        return tuple(dict.fromkeys(map(str, given)))
    return (str(given),)
