"""What judges said, kept in a file: judging is what costs, and it is asked again and again."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from similia.encode.base import as_texts, fingerprint
from similia.errors import InputError
from similia.rank.judging import prompts
from similia.rank.judging.base import Float64, Judge, Tally

WAIT = 10_000  # milliseconds that a process waits for another one that writes
SCHEMA = """
CREATE TABLE IF NOT EXISTS answers (key TEXT PRIMARY KEY, judge TEXT NOT NULL, answer TEXT NOT NULL, at REAL NOT NULL)
WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS replies (judge TEXT, prompt TEXT, model TEXT, text TEXT NOT NULL, at REAL NOT NULL,
PRIMARY KEY (judge, prompt, text)) WITHOUT ROWID;
"""


class CachedJudge:
    """A judge whose answers are kept in a SQLite file.

    An answer's key is the SHA-256 of the judge's fingerprint, the version of the prompts, the query and the item (or,
    of an order, all items as they come), so a change of any of them asks anew. Each answer is stored as soon as it is
    there: a process that is killed loses the one it waits for. Processes may share a file. Failures are not kept. What
    the model wrote is kept beside the answers, where the judge holds it (`ChatJudge`). A file that cannot be written
    costs money, not the answer.

    Args:
        judge: who is asked for what is not known.
        path: the file; made where it is missing, and its folder too.
        step: how many unknown items the judge is given at once; None for as many as it likes.

    Raises:
        InputError: the file is something else.

    Examples:
        >>> import tempfile
        >>> from similia.rank.judging import AspectJudge
        >>> folder = tempfile.TemporaryDirectory()
        >>> words = AspectJudge(lambda query: dict.fromkeys(query.split()), lambda item, word, _: word in item.split())
        >>> with CachedJudge(words, f"{folder.name}/judged.db") as judge:
        ...     (judge.grade("red cat", ["a cat"]), judge.grade("red cat", ["a cat"])), judge.tally.cached
        ((array([0.5]), array([0.5])), 1)
        >>> folder.cleanup()
    """

    def __init__(self, judge: Judge, path: Path | str, *, step: int | None = None) -> None:
        import apsw

        if step is not None and step < 1:
            raise InputError(f"step is {step}; at least 1 is needed")
        self.judge = judge
        self.path = Path(path)
        self.step = step or int(getattr(judge, "batch", 16))
        self._own = Tally()
        self._error: type[Exception] = apsw.Error
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._database = apsw.Connection(str(self.path))
            self._database.set_busy_timeout(WAIT)
            # APSW goes on to the next statement when the rows of the last one are read.
            self._database.execute("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;" + SCHEMA).fetchall()
        except (OSError, apsw.Error) as error:
            raise InputError(f"{self.path} cannot be used for a judge's answers ({error})") from None

    def __enter__(self) -> CachedJudge:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    @property
    def name(self) -> str:
        return self.judge.name

    @property
    def fingerprint(self) -> str:
        return self.judge.fingerprint

    @property
    def batch(self) -> int:
        """How many items the judge likes at once."""
        return self.step

    @property
    def tally(self) -> Tally:
        """That of the judge, and what was known already."""
        whole: Tally = getattr(self.judge, "tally", Tally()).copy()
        whole.cached += self._own.cached
        whole.last_error = whole.last_error or self._own.last_error
        return whole

    def __len__(self) -> int:
        """How many answers are kept, of all judges."""
        rows: list[Any] = self._database.execute("SELECT count(*) FROM answers").fetchall()
        return int(rows[0][0])

    def grade(self, query: str, items: Sequence[str]) -> Float64:
        """See `Judge`."""
        texts = as_texts(items)
        keys = [self._key("grade", query, text) for text in texts]
        grades = np.full(len(texts), np.nan)
        missing: dict[str, str] = {}
        for place, key in enumerate(keys):
            known = self._known(key)
            if isinstance(known, int | float):
                grades[place] = known
                self._own.cached += 1
            else:
                missing[key] = texts[place]
        found: dict[str, float] = {}
        todo = list(missing.items())
        for start in range(0, len(todo), self.step):
            part = todo[start : start + self.step]
            answers = self.judge.grade(query, [text for _, text in part])
            for (key, _), answer in zip(part, answers.tolist(), strict=True):
                if not np.isnan(answer):
                    found[key] = answer
                    self._keep(key, answer)
            self._keep_replies()
        for place, key in enumerate(keys):
            grades[place] = found.get(key, grades[place])
        return grades

    def order(self, query: str, items: Sequence[str]) -> list[int] | None:
        """See `Judge`."""
        texts = as_texts(items)
        key = self._key("order", query, texts)
        known = self._known(key)
        if isinstance(known, list) and sorted(known) == list(range(len(texts))):
            self._own.cached += 1
            return known
        order = self.judge.order(query, texts)
        if order is not None:
            self._keep(key, [int(place) for place in order])
        self._keep_replies()
        return order

    def _key(self, kind: str, query: str, content: str | list[str]) -> str:
        return fingerprint(
            judge=self.judge.fingerprint,
            prompts=prompts.VERSION,
            kind=kind,
            query=as_texts([query])[0],
            content=content,
        )

    def _known(self, key: str) -> Any:
        try:
            rows: list[Any] = self._database.execute("SELECT answer FROM answers WHERE key = ?", (key,)).fetchall()
            return json.loads(rows[0][0]) if rows else None
        except (self._error, ValueError):
            return None

    def _keep(self, key: str, answer: float | list[int]) -> None:
        self._write(
            "INSERT OR IGNORE INTO answers VALUES (?, ?, ?, ?)",
            (key, self.judge.fingerprint, json.dumps(answer), time.time()),
        )

    def _keep_replies(self) -> None:
        replies = getattr(self.judge, "replies", None)
        while replies:
            reply = replies.popleft()
            self._write(
                "INSERT OR IGNORE INTO replies VALUES (?, ?, ?, ?, ?)",
                (self.judge.fingerprint, reply.prompt, reply.model, reply.text, time.time()),
            )

    def _write(self, statement: str, values: tuple[object, ...]) -> None:
        try:
            self._database.execute(statement, values)
        except self._error as error:
            self._own.last_error = f"{self.path} cannot be written ({error})"
