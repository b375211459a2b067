"""Compilation that is paid once a machine: kernels are kept in the user's cache folder.

The folder's name holds what the code depends on and Numba does not look at: the path, and the sources that a kernel's
intrinsics and the functions it calls come from. ``NUMBA_CACHE_DIR`` moves it. Where nothing can be written, kernels
are compiled anew in every process.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import numba
from numba import config as numba_config

from similia.index.kernels.features import path

_config: Any = numba_config  # its names are made when it is imported
KEPT = 8  # folders of other versions and paths that stay
_Function = TypeVar("_Function", bound=Callable[..., Any])


def compiled(**options: Any) -> Callable[[_Function], _Function]:
    """Decorate a function to be compiled by Numba on its first call, without the interpreter lock, and cached.

    Args:
        options: further ones of ``numba.njit``.

    Cached are only functions at the level of a module that use no function made by another one: Numba knows those by a
    name that changes with every process. So let sizes be arguments, and pass arrays rather than close over them.
    """

    def decorate(function: _Function) -> _Function:
        dispatcher: Any = numba.njit(nogil=True, **options)(function)
        before, _config.CACHE_DIR = _config.CACHE_DIR, str(folder())
        try:
            dispatcher.enable_caching()
            _forgive(dispatcher._cache)
        except (RuntimeError, OSError):  # nothing can be written: compiled in every process
            pass
        finally:
            _config.CACHE_DIR = before
        made: _Function = dispatcher
        return made

    return decorate


def _forgive(cache: Any) -> None:
    """Let a cache that cannot be read or written, by now, pass."""
    save, load = cache.save_overload, cache.load_overload

    def saved(*given: Any) -> None:
        with contextlib.suppress(OSError):
            save(*given)

    def loaded(*given: Any) -> Any:
        try:
            return load(*given)
        except OSError:
            return None

    cache.save_overload, cache.load_overload = saved, loaded


@functools.cache
def folder() -> Path:
    """Where compiled kernels are kept."""
    digest = hashlib.sha256(path().encode())
    for source in sorted(Path(__file__).parents[1].rglob("*.py")):
        digest.update(source.read_bytes())
    own = _base() / f"{path()}-{digest.hexdigest()[:12]}"
    with contextlib.suppress(OSError):
        others = sorted(_base().iterdir(), key=lambda place: place.stat().st_mtime)
        for old in others[:-KEPT]:
            shutil.rmtree(old, ignore_errors=True)
    return own


def _base() -> Path:
    if _config.CACHE_DIR:
        return Path(_config.CACHE_DIR) / "similia"
    if sys.platform == "darwin":
        return Path("~/Library/Caches/similia/kernels").expanduser()
    return Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "similia" / "kernels"
