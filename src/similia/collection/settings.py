"""Settings: named ways to search, to be set side by side."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any

from similia.collection.asked import MODES
from similia.collection.naming import nearest
from similia.collection.searching import check_recall
from similia.errors import InputError

if TYPE_CHECKING:
    from similia.rank import Judge

NAME = re.compile(r"[\w.+-]{1,40}")
NUMBERS = {"recall": float, "min_relevance": float, "rerank_top": int}


@dataclass(frozen=True)
class Setting:
    """A way to search, as the arguments of `similia.collection.Collection.search_many`.

    Attributes:
        mode: ``hybrid``, ``dense`` or ``text``.
        sense: in which to search; that of the evaluation where None.
        recall: the share of the nearest vectors to be found where there is an index; that of the index where None.
        min_relevance: leave out what is relevant with less probability; 0 leaves all in, and gives probabilities.
        rerank: what reads the first hits, such as ``pair:FOLDER``; or such a judge itself.
        rerank_top: how many it reads.

    Examples:
        >>> Setting.parse("mode:dense,recall:1")
        Setting(mode='dense', sense=None, recall=1.0, ...)
        >>> Setting.parse("mode:dense,recall:1").words()
        'mode dense, recall 1'
    """

    mode: str = "hybrid"
    sense: str | None = None
    recall: float | None = None
    min_relevance: float | None = None
    rerank: Judge | str | None = None
    rerank_top: int | None = None

    def __post_init__(self) -> None:
        _check_known(self.mode, MODES, "mode")
        check_recall(self.recall)

    @classmethod
    def parse(cls, text: str) -> Setting:
        """A setting from ``option:value,option:value``.

        Raises:
            InputError: an option that there is not, or a value that does not fit.
        """
        known = tuple(one.name for one in fields(cls))
        found: dict[str, Any] = {}
        for part in filter(None, (piece.strip() for piece in text.split(","))):
            name, colon, value = (piece.strip() for piece in part.partition(":"))
            if not colon or not value:
                raise InputError(f"setting {text!r}: {part!r} is not option:value, as in mode:dense")
            _check_known(name, known, f"setting {text!r}: option")
            try:
                found[name] = NUMBERS[name](value) if name in NUMBERS else value
            except ValueError:
                kind = "a whole number" if NUMBERS[name] is int else "a number"
                raise InputError(f"setting {text!r}: {name} is {value!r}; it must be {kind}") from None
        return cls(**found)

    def arguments(self) -> dict[str, Any]:
        """What is handed to a search."""
        return {name: value for name, value in vars(self).items() if value is not None}

    def words(self) -> str:
        """How it searches, for people."""
        given = {name: getattr(value, "name", value) for name, value in self.arguments().items()}
        return ", ".join(
            f"{name} {value:g}" if isinstance(value, float) else f"{name} {value}" for name, value in given.items()
        )


def settings_of(given: Mapping[str, Setting] | None, sense: str) -> dict[str, Setting]:
    """The settings with the sense of the evaluation where they name none.

    Raises:
        InputError: none is given, a name that cannot be part of a file's, or what is no setting.
    """
    if given is None:
        given = {mode: Setting(mode) for mode in MODES}
    if not given:
        raise InputError("there is no setting to evaluate; give at least one")
    for name, one in given.items():
        if not NAME.fullmatch(name):
            raise InputError(f"{name!r:.80} cannot name a setting: take 1 to 40 letters, digits or any of . _ + -")
        if not isinstance(one, Setting):
            raise InputError(f"setting {name!r} is {one!r:.80}; give Setting(mode='dense')")
    return {name: replace(one, sense=one.sense or sense) for name, one in given.items()}


def _check_known(name: str, known: tuple[str, ...], what: str) -> None:
    if name not in known:
        raise InputError(f"{what} {name!r:.80} is not one of {', '.join(known)}{nearest(name, known)}")
