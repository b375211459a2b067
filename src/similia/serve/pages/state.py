"""What a search page shows, as its address says it."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any

from similia.serve.render import address

PAGE = 10
"""Results on a page."""

USUAL = {"sense": "topic", "mode": "hybrid", "k": PAGE, "offset": 0, "evidence": 0}

RELEVANT = 0.5
"""The probability that makes an item count as relevant."""


@dataclass(frozen=True)
class State:
    """A search as an address.

    Examples:
        >>> here = State("papers", q="rank fusion", offset=10)
        >>> here.href(where="n > 2", offset=0)
        '/c/papers/?q=rank+fusion&where=n+%3E+2'
    """

    collection: str
    q: str = ""
    like: str = ""
    sense: str = "topic"
    mode: str = "hybrid"
    where: str = ""
    k: int = PAGE
    offset: int = 0
    min_relevance: float | None = None
    evidence: int = 0

    @property
    def asks(self) -> bool:
        """Whether there is something to look for, and not only a filter."""
        return bool(self.q.strip() or self.like)

    @property
    def speaks(self) -> bool:
        """Whether to show which sentence speaks for each hit: where it is asked for, and where it costs nothing.

        To compare the sentences of ten abstracts with a query takes half a second of processor time with the bundled
        encoder; by the words alone it takes some milliseconds.
        """
        return bool(self.evidence) or self.mode == "text"

    def parameters(self, **changes: Any) -> dict[str, Any]:
        """The parameters that differ from the usual ones."""
        values = asdict(replace(self, **changes))
        del values["collection"]
        return {name: value for name, value in values.items() if value not in ("", USUAL.get(name))}

    def href(self, **changes: Any) -> str:
        """The address of this search with ``changes``."""
        return address(self.collection, **self.parameters(**changes))
