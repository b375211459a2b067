"""Kernels: the few loops that NumPy cannot run at the processor's speed, compiled by Numba on first use.

`usable` tells whether compiled code can and may run here, `path` which instructions it uses. All that needs Numba is
in the modules below and imports it when it is imported itself: `dots` (inner products and Hamming distances of two
addresses), `heap` (the k best so far), `tile` and `scan` (all items against a batch), `rescore` (candidates in double
precision), `bits` (binary codes) and `cache` (the decorator that compiles and keeps what it compiled).
Import them inside functions that run only when `usable` says so.

``SIMILIA_KERNELS`` in the environment forces a path ("vnni512", "avx2", "arm", "llvm") or switches compiled code off
("none"); all paths give the same integers.
"""

from similia.index.kernels.features import PATHS, path, usable

__all__ = ["PATHS", "path", "usable"]
