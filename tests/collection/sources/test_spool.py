from __future__ import annotations

import subprocess
import sys

import pytest

pytest.importorskip("resource")

SCRIPT = """
import resource, signal, sys
from similia.errors import StorageError
from similia.collection.sources import open_source

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, 300_000))
rows = ({"id": place, "text": "x" * int(sys.argv[1])} for place in range(400_000))
try:
    with open_source(rows) as source:
        source.scan()
except StorageError as error:
    print(type(error).__name__, error)
"""


@pytest.mark.parametrize("size", [10, 2000])
def test_a_disk_that_takes_no_more_is_named(size: int) -> None:
    """Files of this process may not grow beyond 300 kB: neither the rows kept nor their keys fit."""
    done = subprocess.run([sys.executable, "-c", SCRIPT, str(size)], capture_output=True, text=True, check=False)
    assert done.stdout.startswith("StorageError the rows given: the disk refused to write"), done
    assert not done.stderr
