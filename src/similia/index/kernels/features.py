"""Which instructions the kernels may use: the processor's, unless the environment says otherwise."""

from __future__ import annotations

import functools
import importlib.util
import os
import platform

from similia.errors import InputError

PATHS = ("vnni512", "avx2", "arm", "llvm")
_NEEDED = {
    "vnni512": {"avx512f", "avx512bw", "avx512vnni"},
    "avx2": {"avx2"},
    "arm": {"dotprod"},
    "llvm": set(),
}


@functools.cache
def usable() -> bool:
    """Whether Numba is installed and compiled code is not switched off; imports nothing.

    Examples:
        >>> usable() in (True, False)
        True
    """
    return os.environ.get("SIMILIA_KERNELS") != "none" and importlib.util.find_spec("numba") is not None


@functools.cache
def path() -> str:
    """The path that kernels are compiled for: the first of `PATHS` that Numba's target can run; imports Numba.

    Raises:
        InputError: ``SIMILIA_KERNELS`` names a path that this machine does not have, or switches compiled code off.
    """
    forced, features = os.environ.get("SIMILIA_KERNELS", ""), target_features()
    able = [name for name in PATHS if _NEEDED[name] <= features]
    if forced and forced not in able:
        raise InputError(f"SIMILIA_KERNELS is {forced!r}; kernels can be compiled here for {', '.join(able)}")
    return forced or able[0]


@functools.cache
def target_features() -> frozenset[str]:
    """Names (LLVM's) of what Numba may use on this processor, empty on one that no path is made for."""
    from llvmlite import binding  # type: ignore[import-untyped]
    from numba import config

    given: str | None = config.CPU_FEATURES  # type: ignore[attr-defined]
    if platform.machine().lower() not in ("x86_64", "amd64", "aarch64", "arm64"):
        return frozenset()
    if given is not None:
        return frozenset(name[1:] for name in given.split(",") if name.startswith("+"))
    return frozenset(name for name, there in binding.get_host_cpu_features().items() if there)
