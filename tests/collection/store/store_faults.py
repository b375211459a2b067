"""File layers for SQLite that fail on purpose, or forget on purpose what was not flushed."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

import apsw

_names = itertools.count()


@dataclass
class Plan:
    """Which calls fail: from the ``at``-th call of ``kinds`` on, ``times`` of them, in the way of ``fault``."""

    kinds: frozenset[str] = frozenset()
    at: int = -1
    times: int = 1
    fault: str = "io"
    calls: int = 0
    struck: int = 0

    def fails(self, kind: str) -> bool:
        if kind not in self.kinds:
            return False
        self.calls += 1
        if self.at <= self.calls - 1 < self.at + self.times:
            self.struck += 1
            return True
        return False


ERRORS: dict[str, type[Exception]] = {
    "io": apsw.IOError,
    "full": apsw.FullError,
    "short": apsw.FullError,
}


class FaultyFile(apsw.VFSFile):
    def __init__(self, base: str, name: Any, flags: list[int], plan: Plan) -> None:
        self.plan = plan
        super().__init__(base, name, flags)

    def xWrite(self, data: Any, offset: int) -> None:  # noqa: N802
        if self.plan.fails("write"):
            if self.plan.fault == "short":
                super().xWrite(bytes(data)[: len(data) // 2], offset)
            raise ERRORS[self.plan.fault]("injected")
        super().xWrite(data, offset)

    def xRead(self, amount: int, offset: int) -> bytes:  # noqa: N802
        if self.plan.fails("read"):
            raise apsw.IOError("injected")
        return super().xRead(amount, offset)

    def xSync(self, flags: int) -> None:  # noqa: N802
        if self.plan.fails("sync"):
            raise apsw.IOError("injected")
        super().xSync(flags)

    def xTruncate(self, size: int) -> None:  # noqa: N802
        if self.plan.fails("truncate"):
            raise apsw.IOError("injected")
        super().xTruncate(size)


class FaultyVFS(apsw.VFS):
    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.name = f"faulty{next(_names)}"
        super().__init__(self.name, "")

    def xOpen(self, name: Any, flags: list[int]) -> FaultyFile:  # noqa: N802
        return FaultyFile("", name, flags, self.plan)


@contextmanager
def faulty(plan: Plan) -> Iterator[str]:
    """Register a VFS that fails as planned, and give its name."""
    vfs = FaultyVFS(plan)
    try:
        yield vfs.name
    finally:
        vfs.unregister()


@dataclass
class Disk:
    """What a machine without power would find: per file the flushed bytes, and the writes since."""

    flushed: dict[str, bytes] = field(default_factory=dict)
    pending: dict[str, list[tuple[int, bytes | None]]] = field(default_factory=dict)
    """(offset, data), or (size, None) for a truncation"""
    calls: int = 0
    off_at: int = -1
    off: bool = False

    def tick(self) -> None:
        """Count a write or flush; at the chosen one the power goes."""
        if self.off:
            raise apsw.IOError("no power")
        if self.calls == self.off_at:
            self.off = True
            raise apsw.IOError("no power")
        self.calls += 1

    def image(self, folder: Path, random: Random) -> None:
        """Write what may be found afterwards: of what was not flushed any part, sector by sector."""
        for name in self.flushed.keys() | self.pending.keys():
            content = bytearray(self.flushed.get(name, b""))
            for offset, data in self.pending.get(name, []):
                if data is None:
                    if random.random() < 0.5:
                        del content[offset:]
                    continue
                for start in range(0, len(data), 512):
                    if random.random() < 0.5:
                        part = data[start : start + 512]
                        if len(content) < offset + start:
                            content += bytes(offset + start - len(content))
                        content[offset + start : offset + start + len(part)] = part
            (folder / name).write_bytes(content)


class ForgetfulFile(apsw.VFSFile):
    def __init__(self, base: str, name: Any, flags: list[int], disk: Disk) -> None:
        self.disk = disk
        path = name.filename() if isinstance(name, apsw.URIFilename) else name
        self.path = Path(path) if path else None
        self.key = self.path.name if self.path else ""
        super().__init__(base, name, flags)
        if self.path and self.key not in disk.flushed:
            disk.flushed[self.key] = self.path.read_bytes()
            disk.pending[self.key] = []

    def xWrite(self, data: Any, offset: int) -> None:  # noqa: N802
        self.disk.tick()
        super().xWrite(data, offset)
        if self.path:
            self.disk.pending[self.key].append((offset, bytes(data)))

    def xTruncate(self, size: int) -> None:  # noqa: N802
        self.disk.tick()
        super().xTruncate(size)
        if self.path:
            self.disk.pending[self.key].append((size, None))

    def xSync(self, flags: int) -> None:  # noqa: N802
        self.disk.tick()
        super().xSync(flags)
        if self.path:
            self.disk.flushed[self.key] = self.path.read_bytes()
            self.disk.pending[self.key] = []


class ForgetfulVFS(apsw.VFS):
    def __init__(self, disk: Disk) -> None:
        self.disk = disk
        self.name = f"forgetful{next(_names)}"
        super().__init__(self.name, "")

    def xOpen(self, name: Any, flags: list[int]) -> ForgetfulFile:  # noqa: N802
        return ForgetfulFile("", name, flags, self.disk)

    def xDelete(self, name: str, sync: bool) -> None:  # noqa: N802
        if self.disk.off:
            raise apsw.IOError("no power")
        super().xDelete(name, sync)
        self.disk.flushed.pop(Path(name).name, None)
        self.disk.pending.pop(Path(name).name, None)


@contextmanager
def forgetful(disk: Disk) -> Iterator[str]:
    """Register a VFS that writes down what was flushed, and give its name."""
    vfs = ForgetfulVFS(disk)
    try:
        yield vfs.name
    finally:
        vfs.unregister()
