"""ScanIndex on other processors than this one, in processes of their own."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from similia.index import kernels

CHECK = """
import numpy as np
from similia.index import scan as module
module._LEAST = 1
random = np.random.default_rng(0)
shape = random.standard_normal((48, 48)) * 0.9 ** np.arange(48)[:, None]
vectors = (random.standard_normal((1500, 48)) @ shape).astype(np.float32)
for metric in ("cosine", "dot", "l2"):
    index = module.ScanIndex(vectors, metric=metric)
    for count in (1, 40):
        found, expected = index.search(vectors[:count] + 0.1, 5), index.exact.search(vectors[:count] + 0.1, 5)
        assert (found.ids == expected.ids).all() and (found.scores == expected.scores).all()
print(index.codes is not None)
"""


@pytest.mark.slow
@pytest.mark.parametrize("path", ["avx2", "none"])
def test_other_paths_give_the_same(path, tmp_path):
    from similia.index.kernels import features

    if path != "none" and (not kernels.usable() or not features._NEEDED[path] <= features.target_features()):
        pytest.skip(f"this processor has no {path}")
    environment = {**os.environ, "SIMILIA_KERNELS": path, "NUMBA_CACHE_DIR": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", CHECK], env=environment, capture_output=True, text=True, timeout=250, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == [str(path != "none")]
