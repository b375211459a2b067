"""A filter: parsed and checked once, then evaluated by whichever engine has the data."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from similia.index.where.tree import Condition, Field, walk
from similia.types import Bool


@dataclass(frozen=True, slots=True)
class Predicate:
    """A filter over named, typed fields, with one meaning in SQLite, DuckDB and Python.

    Two predicates are equal if they are written alike up to spelling, spacing and redundant parentheses.

    Attributes:
        root: the tree of conditions; see `similia.index.where` for the language.

    Examples:
        >>> fields = {"year": "integer", "area": "category"}
        >>> recent = Predicate.parse("year >= 2020 AND area IN ('cs.IR', 'cs.CL')", fields)
        >>> recent.sqlite({"year": "f1", "area": "f2"}.__getitem__)
        ('((f1 >= ?) AND (f2 IN (?, ?)))', (2020, 'cs.IR', 'cs.CL'))
        >>> recent.mask({"year": [2019, 2021, None], "area": ["cs.IR", "cs.IR", "cs.CL"]}).tolist()
        [False, True, False]
    """

    root: Condition

    @classmethod
    def parse(cls, text: str, fields: Mapping[str, str]) -> Predicate:
        """Read a filter.

        Args:
            text: the filter, in the language of `similia.index.where`.
            fields: field name -> type (text, category, integer, number, boolean, date, datetime, list, json, vector or
                image).

        Raises:
            FilterError: what is wrong, at which character or field, and what would be accepted.

        Examples:
            >>> Predicate.parse("titel LIKE '%graph%'", {"title": "text", "year": "integer"})
            Traceback (most recent call last):
            similia.errors.FilterError: at character 1: there is no field 'titel'; did you mean title?
        """
        from similia.index.where.parse import parse

        return cls(parse(text, fields))

    @property
    def fields(self) -> frozenset[str]:
        """The names of the fields that it looks at."""
        return frozenset(node.name for node in walk(self.root) if isinstance(node, Field))

    def sqlite(self, column: Callable[[str], str]) -> tuple[str, tuple[Any, ...]]:
        """SQL for a WHERE clause and its parameters.

        Args:
            column: field name -> SQL expression of the column, which is taken as it is and may be repeated. Values are
                as in the store: booleans 0 and 1, dates and datetimes ISO-8601 text, lists JSON text.

        The connection needs `similia.index.where.register_functions`.
        """
        from similia.index.where.sql import generate
        from similia.index.where.sqlite import SQLite

        return tuple(generate(self.root, column, SQLite()))  # type: ignore[return-value]

    def duckdb(self, column: Callable[[str], str]) -> tuple[str, tuple[Any, ...]]:
        """The same for DuckDB: columns are VARCHAR, BIGINT, DOUBLE, BOOLEAN, and VARCHAR for dates and JSON lists."""
        from similia.index.where.duckdb import DuckDB
        from similia.index.where.sql import generate

        return tuple(generate(self.root, column, DuckDB()))  # type: ignore[return-value]

    def mask(self, columns: Mapping[str, Sequence[Any]]) -> Bool:
        """Which rows pass, bool (n,): the readable definition that the SQL is tested against.

        Args:
            columns: field name -> its n values; None and NaN are missing. Dates may be ISO-8601 text, ``datetime`` or
                ``numpy.datetime64``, lists sequences or JSON text.

        Raises:
            InputError: a field without a column, or columns of different lengths.
        """
        from similia.index.where.mask import mask

        return mask(self.root, columns)

    def __str__(self) -> str:
        """Canonical text, which parses to an equal predicate."""
        from similia.index.where.text import render

        return render(self.root)
