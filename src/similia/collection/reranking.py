"""Who re-ranks the hits of a collection, by name."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from similia.collection.workspace import Workspace
from similia.errors import InputError

if TYPE_CHECKING:
    from similia.rank import Judge

KEY = "SIMILIA_CHAT_KEY"
"""The environment variable that holds the key of a paid service."""
ANSWERS = "answers.db"
"""In ``derived/``: what judges answered, so that nothing is asked twice."""
KINDS = ("pair:FOLDER", "pair:hub:OWNER/NAME", "chat:ADDRESS#MODEL", "local:FOLDER")


def judge_of(space: Workspace, spec: Judge | str) -> Judge:
    """The judge that ``spec`` names, made once for an open collection; its answers are kept in the collection's folder.

    - ``pair:FOLDER``, ``pair:hub:OWNER/NAME``: a cross-encoder.
    - ``chat:ADDRESS#MODEL``: a language model behind an address such as ``http://127.0.0.1:8080/v1``, which answers as
      OpenAI's do; the environment variable SIMILIA_CHAT_KEY holds the key, if one is needed.
    - ``local:FOLDER``: a language model on this machine; needs the extra ``learn``.

    Raises:
        InputError: no such kind.
        ModelError: no such model, or it cannot be loaded.
    """
    if not isinstance(spec, str):
        return spec
    known = space.remembered(("judge", spec))
    if known is not None:
        return known  # type: ignore[no-any-return]
    judge = _kept(space, _made(spec))
    space.remember(("judge", spec), judge)
    return judge


def _made(spec: str) -> Judge:
    from similia.rank import ChatJudge, LocalJudge, PairJudge

    kind, _, rest = spec.partition(":")
    if kind == "pair" and rest:
        from similia.encode import load_pair

        return PairJudge(load_pair(rest, progress=False))
    if kind == "chat" and rest:
        address, _, model = rest.partition("#")
        if not model:
            raise InputError(f"{spec!r} names no model; write it behind a #, as in chat:http://127.0.0.1:8080/v1#qwen")
        return ChatJudge(address, model, key=os.environ.get(KEY))
    if kind == "local" and rest:
        return LocalJudge(rest)
    raise InputError(f"{spec!r} names no judge; there are {', '.join(KINDS)}")


def _kept(space: Workspace, judge: Judge) -> Judge:
    """The judge with its answers kept, where the folder can be written."""
    from similia.rank import CachedJudge

    path = space.folder / "derived" / ANSWERS
    if not os.access(path.parent if path.parent.is_dir() else space.folder, os.W_OK):
        return judge
    try:
        return CachedJudge(judge, path)
    except InputError:  # damaged, or something else: what is derived may be lost, an answer may not
        return judge
