"""Run a small Python program that may loop, fill memory or misbehave, in a process of its own with limits."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor

SECONDS, BYTES = 5, 2 << 30

# The child limits itself before it runs the program. The audit hook refuses what a solution of a puzzle has no business
# with: files to write, sockets, processes. It stops mistakes, not attackers; run only programs whose source you know.
CHILD = """
import sys, resource
seconds, memory = int(sys.argv[1]), int(sys.argv[2])
program = sys.stdin.read()
resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
import math, re, random, string, itertools, functools, collections, heapq, bisect, hashlib, copy, typing, datetime

def guard(event, arguments):
    if event == "open" and not (isinstance(arguments[1], str) and set(arguments[1]) <= set("rbtU")):
        raise PermissionError(event)
    if event.split(".")[0] in {"socket", "subprocess", "ctypes", "shutil", "tempfile", "urllib", "ftplib", "http"} or (
        event in {"os.system", "os.exec", "os.fork", "os.forkpty", "os.posix_spawn", "os.spawn", "os.kill", "os.remove",
                  "os.rename", "os.rmdir", "os.mkdir", "os.link", "os.symlink", "os.chmod", "os.chown", "os.truncate",
                  "pty.spawn", "signal.pthread_kill"}):
        raise PermissionError(event)

sys.addaudithook(guard)
exec(compile(program, "program", "exec"), {"__name__": "__main__"})
"""


def passes(program: str, *, seconds: int = SECONDS, memory: int = BYTES) -> bool:
    """Return whether a program ends without an error, within its limits of processor seconds and bytes.

    Examples:
        >>> passes("assert 1 + 1 == 2"), passes("assert 1 + 1 == 3")
        (True, False)
    """
    with tempfile.TemporaryDirectory() as folder:
        try:
            done = subprocess.run(  # noqa: S603
                [sys.executable, "-P", "-s", "-S", "-B", "-c", CHILD, str(seconds), str(memory)],
                input=program.encode("utf-8", "surrogatepass"),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                cwd=folder,
                env={"PYTHONHASHSEED": "0"},
                timeout=4 * seconds + 10,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return False
    return done.returncode == 0


def all_passes(programs: Iterable[str], *, workers: int = 2) -> Iterator[bool]:
    """`passes` for each program, ``workers`` at a time, in order."""
    with ThreadPoolExecutor(workers) as pool:
        yield from pool.map(passes, programs)
