"""What a server allows: its token, its limits and the names that it answers to."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable
from dataclasses import dataclass

from similia.errors import InputError

MAX_JSON = 4 * 1024 * 1024
"""Largest body of a request that is not an upload, in bytes."""

MAX_OFFSET = 100_000
MAX_QUERY = 4_000
MAX_FILTER = 4_000
MAX_KEY = 2_000
MAX_VECTOR = 65_536
MAX_CLASSES = 500
MAX_ITEMS = 1_000
"""Most items that one JSON request may add; more go through an upload."""

MAX_LIKES = 50
"""Most items that one search may be like, and unlike."""

MAX_EVIDENCE = 10
MAX_EVIDENCE_HITS = 100
"""Most hits that evidence is given for at once: the sentences of each have to be encoded."""

MAX_GRADE = 3
MAX_NOTE = 2_000
MAX_POINTS = 25_000
"""Most points that a map shows; a larger collection is sampled evenly."""

MIN_TOKEN = 12


@dataclass(frozen=True)
class Settings:
    """What a server allows.

    Attributes:
        token: what a client must show, or None where only this machine can reach the server.
        allow_upload: whether anything may be added or changed; False makes the server read-only.
        max_body: largest upload in bytes.
        max_k: most results that one search may ask for.
        hosts: host names besides this machine's own under which the server may be reached.

    Raises:
        InputError: a limit below 1, or a token that is too short or not plain ASCII.

    Examples:
        >>> Settings(max_k=0)
        Traceback (most recent call last):
        similia.errors.InputError: max_k is 0; it must be from 1 to 10,000
        >>> Settings(token="letmein")
        Traceback (most recent call last):
        similia.errors.InputError: the token has 7 characters; at least 12 visible ASCII characters are needed
    """

    token: str | None = None
    allow_upload: bool = True
    max_body: int = 256 * 1024 * 1024
    max_k: int = 1_000
    hosts: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        if not 1 <= self.max_k <= 10_000:
            raise InputError(f"max_k is {self.max_k:,}; it must be from 1 to 10,000")
        if self.max_body < 1:
            raise InputError(f"max_body is {self.max_body:,}; it must be at least 1 byte")
        if self.token is not None and (
            len(self.token) < MIN_TOKEN or not all("!" <= letter <= "~" for letter in self.token)
        ):
            raise InputError(
                f"the token has {len(self.token)} characters; at least {MIN_TOKEN} visible ASCII characters are needed"
            )
        object.__setattr__(self, "hosts", frozenset(host.lower().rstrip(".") for host in self.hosts))

    @classmethod
    def of(
        cls, *, token: str | None, allow_upload: bool, max_body: int | None, max_k: int | None, hosts: Iterable[str]
    ) -> Settings:
        """Settings in which None stands for the default."""
        usual = cls()
        return cls(
            token=token,
            allow_upload=allow_upload,
            max_body=usual.max_body if max_body is None else max_body,
            max_k=usual.max_k if max_k is None else max_k,
            hosts=frozenset(hosts),
        )

    def check_k(self, k: int) -> int:
        """Return ``k``, or refuse it."""
        if not 1 <= k <= self.max_k:
            raise InputError(f"k is {k:,}; this server gives from 1 to {self.max_k:,} results at a time")
        return k

    def check_evidence(self, evidence: int, k: int) -> int:
        """Return ``evidence``, how many sentences are asked for with each of ``k`` hits, or refuse it."""
        if evidence and k > MAX_EVIDENCE_HITS:
            raise InputError(
                f"evidence is given for at most {MAX_EVIDENCE_HITS} results at a time, and k is {k:,}; ask in parts"
            )
        return evidence

    def is_token(self, shown: str) -> bool:
        """Whether ``shown`` is the token, compared in constant time."""
        return self.token is not None and hmac.compare_digest(shown.encode(), self.token.encode())

    @property
    def cookie_name(self) -> str:
        """Name of the session cookie: two servers of one machine, on two ports, must not overwrite each other's."""
        return f"similia_{self._derived('name')[:8]}"

    @property
    def cookie_value(self) -> str:
        """Value of the session cookie: made from the token, so that the cookie does not give the token away."""
        return self._derived("session")

    def is_cookie(self, shown: str) -> bool:
        """Whether ``shown`` is the session cookie's value, compared in constant time."""
        return self.token is not None and hmac.compare_digest(shown.encode(), self.cookie_value.encode())

    def _derived(self, purpose: str) -> str:
        return hmac.new((self.token or "").encode(), f"similia {purpose}".encode(), hashlib.sha256).hexdigest()
