"""Building the systems that are installed."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable

from similia.evaluate.speed.systems import Maker, System
from similia.types import Float32


def build(
    makers: Iterable[Maker], vectors: Float32, *, told: Callable[[str], object] = lambda said: None
) -> tuple[list[System], dict[str, float]]:
    """Build each system that is installed, and measure the processor seconds that it takes.

    Args:
        makers: in any order.
        vectors: float32 (n, d), each of length 1.
        told: is given a sentence for each.

    Returns:
        The systems, and name -> seconds.

    Examples:
        >>> import numpy as np
        >>> from similia.evaluate.speed.peers import EXACT
        >>> systems, seconds = build(EXACT[:1], np.eye(4, dtype=np.float32))
        >>> systems[0].name, systems[0].search(np.eye(4, dtype=np.float32)[:1], 1, 0).tolist()
        ('NumPy: BLAS and argpartition', [[0]])
    """
    systems, seconds, known = [], {}, list(makers)
    if missing := sorted({maker.needs for maker in known if not maker.there}):
        told(f"not installed, so left out: {', '.join(missing)}")
    for maker in (maker for maker in known if maker.there):
        maker.ready()
        started = time.process_time()
        system = maker.make(vectors)
        systems.append(system)
        seconds[system.name] = time.process_time() - started
        told(f"{system.name}: built in {seconds[system.name]:.1f} s")
    return systems, seconds
