"""The filter language: a small part of SQL, parsed once and checked against the fields.

A filter says which items take part, before anything is compared::

    year >= 2020 AND area IN ('cs.IR', 'cs.CL') AND NOT retracted
    title ILIKE '%graph%' OR contains(tags, 'graph')
    date BETWEEN '2024-01-01' AND '2024-12-31' AND abstract IS NOT NULL
    citations / (2026 - year) > 10 AND length(title) < 80
    "publication year" = 2024 AND lower(venue) LIKE 'sigir%'

**Fields** are written as they are named, in "double quotes" if the name has signs other than letters, digits and `_`,
or is a word of the language. **Text** stands in 'single quotes' (`'it''s'`). **Numbers** are `3`, `-2.5`, `1e6`,
**booleans** `TRUE` and `FALSE`. Words of the language may be in upper or lower case.

| written | meaning |
| --- | --- |
| `= <> != < <= > >=` | two values of one kind |
| `AND`, `OR`, `NOT`, parentheses | `NOT` binds strongest, `OR` weakest |
| `x IN (a, b)`, `x NOT IN (a, b)` | literals only |
| `x BETWEEN a AND b`, `x NOT BETWEEN a AND b` | both ends belong to it |
| `x LIKE 'p'`, `ILIKE`, `NOT LIKE`, `LIKE 'p' ESCAPE 'c'` | `%` any text, `_` one character; ILIKE ignores case |
| `x IS NULL`, `x IS NOT NULL` | for fields of every type |
| `contains(list, value)` | a list has an element of that kind and value |
| `+ - * /`, `abs(x)` | numbers |
| `lower(x)`, `upper(x)`, `length(x)` | text; length in characters, of a list in elements |
| `year(d)`, `month(d)`, `day(d)` | of a date or datetime |
| `DATE '2024-05-01'`, `TIMESTAMP '2024-05-01 12:00'` | seldom needed: a text beside a date is read as one |

**Meaning.** The same in SQLite, in DuckDB and in Python, whatever those do by themselves:

- A missing value, and NaN, makes a comparison *unknown*, which is neither true nor false (`NOT` leaves it so), and an
  item passes only where the whole filter is true. `x <> 3` therefore does not find items without an x: add
  `OR x IS NULL`. `x NOT IN (1, NULL)` is never true.
- Text compares by code point, so `'Z' < 'a'`; LIKE heeds case. Case is mapped one character at a time: `lower('İ')`
  is `'i'`, and ILIKE takes the two small sigmas for one letter but not `ß` for `ss`.
- Integers (64 bits) and numbers compare exactly, also beyond `2**53`. Arithmetic and `abs` are done in 64-bit
  floating point; `/` is real division, and a division by zero is unknown.
- Dates compare as dates. A datetime is in UTC (an offset in a literal is taken into account), and a date beside a
  datetime means its first moment: for a whole day write `d >= '2024-05-01' AND d < '2024-05-02'`.
- What cannot be compared (text with a number, LIKE on a number) is refused when the filter is read, not when it runs.

**Limits**: 250,000 characters, 25,000 words and signs, 20 levels of nesting, 1,000 characters a LIKE pattern. No
subqueries, comments, casts, or functions other than those above.

Examples:
    >>> fields = {"title": "text", "year": "integer", "tags": "list"}
    >>> found = Predicate.parse("year >= 2020 and not contains(tags, 'survey')", fields)
    >>> print(found, sorted(found.fields))
    year >= 2020 AND NOT contains(tags, 'survey') ['tags', 'year']
    >>> Predicate.parse("year >= 'recent'", fields)
    Traceback (most recent call last):
    similia.errors.FilterError: at character 1: year (integer) cannot be compared with the text 'recent'; write numbers
    without quotes and texts in 'single' quotes
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from similia._lazy import attach

if TYPE_CHECKING:
    from similia.index.where.predicate import Predicate as Predicate
    from similia.index.where.sqlite import register_functions as register_functions

__getattr__, __dir__, __all__ = attach(__name__, {"Predicate": ".predicate", "register_functions": ".sqlite"})
