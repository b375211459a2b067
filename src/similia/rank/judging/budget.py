"""What may be spent on a judge."""

from __future__ import annotations

import threading

from similia.errors import InputError


class Budget:
    """How often a judge may ask its model, and for how long in all; may be shared by several judges and threads.

    Args:
        calls: requests, repeated attempts included; None for any number.
        seconds: spent waiting for replies; None for any.

    Raises:
        InputError: a negative limit.

    Examples:
        >>> budget = Budget(calls=1)
        >>> budget.take(), budget.take()
        (True, False)
    """

    def __init__(self, calls: int | None = None, seconds: float | None = None) -> None:
        for name, limit in (("calls", calls), ("seconds", seconds)):
            if limit is not None and not limit >= 0:
                raise InputError(f"{name} is {limit!r}; it must be at least 0, or None for no limit")
        self.calls = calls
        self.seconds = seconds
        self.spent_calls = 0
        self.spent_seconds = 0.0
        self._lock = threading.Lock()

    def __repr__(self) -> str:
        return f"Budget(calls={self.calls}, seconds={self.seconds})"

    @property
    def seconds_left(self) -> float:
        """Infinity where there is no limit."""
        return float("inf") if self.seconds is None else max(0.0, self.seconds - self.spent_seconds)

    def take(self) -> bool:
        """Whether one more request may be made; if so it is counted."""
        with self._lock:
            if (self.calls is not None and self.spent_calls >= self.calls) or self.seconds_left <= 0:
                return False
            self.spent_calls += 1
            return True

    def spend(self, seconds: float) -> None:
        """Count time that was spent."""
        with self._lock:
            self.spent_seconds += seconds
