"""Where a condition holds, from where its atoms do: for single rows exactly, for sets of rows on the safe side."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import reduce

import numpy as np

from similia.index.where.tree import And, Condition, Constant, Not, Or
from similia.types import Bool


def holds(condition: Condition, wanted: bool, of: Callable[[Condition, bool], Bool]) -> Bool:
    """The places at which a condition is ``wanted``: True or False, in the three-valued logic of the filters.

    ``AND`` is true where all of its terms are and false where one is; ``OR`` the other way round; ``NOT`` is true where
    its term is false. Nothing else is needed of "unknown" than that it is neither. What the answer says is what ``of``
    says of the atoms:

    - "the row's value is ``wanted``" gives the same of the condition;
    - "some row of the set may have it" gives a condition that some row may have: where not, none has;
    - "all rows of the set have it" gives one that all rows have, though not every such one.

    Args:
        condition: the condition.
        wanted: the value that is asked for.
        of: (atom, wanted) -> bool (places,), or one value for all places.

    Examples:
        >>> from similia.index.where.tree import Field, Truth
        >>> a, b = (Truth(Field(name, "boolean")) for name in "ab")
        >>> known = {(a, True): [True, True], (a, False): [False, False], (b, True): [True, False]}
        >>> known[b, False] = [False, False]  # at the second place, b is unknown
        >>> holds(And((a, Not(b))), False, lambda *asked: np.array(known[asked]))
        array([ True, False])
    """
    match condition:
        case Constant(value):
            return np.array(value is wanted)
        case Not(term):
            return holds(term, not wanted, of)
        case And(terms) | Or(terms):
            every = isinstance(condition, And) is wanted
            parts = (holds(term, wanted, of) for term in terms)
            return reduce(np.logical_and if every else np.logical_or, parts)
    return of(condition, wanted)


def atoms(condition: Condition) -> Iterator[Condition]:
    """The conditions that it is composed of by AND, OR and NOT."""
    match condition:
        case Constant():
            return
        case Not(term):
            yield from atoms(term)
        case And(terms) | Or(terms):
            for term in terms:
                yield from atoms(term)
        case _:
            yield condition
