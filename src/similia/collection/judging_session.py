"""Judging the items of one query one by one, as a person does at a terminal or on a page."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from similia.collection.judging_input import checked_grade, made_of, timed
from similia.collection.store import Change
from similia.collection.store.judgments import Judgment, Source
from similia.collection.workspace import Workspace


class JudgingSession:
    """Judging the items of one query one by one: each is stored at once, and all of them are one change of the log.

    The collection can be written by others meanwhile; what follows then is a change of its own.

    Examples:
        >>> import tempfile
        >>> from similia import Collection
        >>> with tempfile.TemporaryDirectory() as folder, Collection.open(folder + "/c", create=True) as shelf:
        ...     report = shelf.add([{"id": "a", "title": "Tea"}], key="id", text="title", encoder="hashing")
        ...     with shelf.judgments.session("green tea") as session:
        ...         session.judge("a", 3)
        ...         session.judge("a", 1)
        ...         session.take_back()
        ...     print(shelf.judgments.qrels(), shelf.log()[0].command)
        'a'
        {'green tea': {'a': 3.0}} judge
    """

    def __init__(self, space: Workspace, query: str | None, like: object, sense: str | None, source: Source) -> None:
        asked = {"query": query, "like": like, "sense": sense, "item": "-", "grade": 0}
        self._asked = made_of(asked, 1, None, source)
        self._space = space
        self._key = secrets.token_hex(16)
        self._before: list[tuple[Judgment, Judgment | None]] = []
        with space.reading() as state:
            if sense is not None:
                state.sense(sense)
            if self._asked.like:
                state.ids([self._asked.query])
        self._arguments = {"like" if self._asked.like else "query": self._asked.query, "sense": sense}

    def grades(self) -> dict[str, float]:
        """Item -> grade, of what this query was judged before in this sense and from this source."""
        wanted = self._asked
        kind, query, sense, _, source = wanted.about
        found = self._space.store.judgments(kind=kind, query=query, sense=sense, source=source)
        return {one.item: one.grade for one in found}

    def judge(self, item: object, grade: float, *, note: str = "") -> None:
        """Store one judgment.

        Raises:
            UnknownItem: the collection has no such item.
            InputError: the grade is negative or no number.
        """
        said = replace(self._asked, item=str(item), grade=checked_grade(grade, "the"), note=note)
        (made,) = timed([said])
        kind, query, sense, key, source = made.about
        with self._change() as change:
            with self._space.reading() as state:
                state.ids([item])
                old = state.store.judgments(kind=kind, query=query, sense=sense, item=key, source=source)
            with change.transaction():
                change.judge([made])
        self._before.append((made, old[0] if old else None))

    def take_back(self) -> str | None:
        """Undo the last judgment of this session that was not taken back; returns its item, None if there is none."""
        if not self._before:
            return None
        made, old = self._before[-1]
        with self._change() as change, change.transaction():
            if old is None:
                change.unjudge([made])
            else:
                change.judge([old])
        self._before.pop()
        return made.item

    @contextmanager
    def _change(self) -> Iterator[Change]:
        """The change of this session, which stays open until `close`."""
        with self._space.store.change("judge", self._arguments, resume_key=self._key) as change:
            change.pause()
            yield change

    def close(self) -> None:
        """End the change."""
        last = self._space.store.log(1)
        if last and last[0].state == "open" and last[0].command == "judge":
            with self._space.store.change("judge", self._arguments, resume_key=self._key):
                pass

    def __enter__(self) -> JudgingSession:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
