from __future__ import annotations

import json
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from similia.demo.harvest import SCHEMA, harvest, live, packages
from similia.demo.harvest.records import Harvest, fair_shares, spoken


@pytest.fixture(scope="module")
def python() -> Harvest:
    return harvest(100_000, ["python", "numpy"])


def test_thousands_of_things_with_text_are_found(python: Harvest) -> None:
    assert python.found["python"] > 4_000
    assert python.found["numpy"] > 900
    assert python.kept == python.found
    assert len(python.records) == sum(python.found.values())
    assert len({record["key"] for record in python.records}) == len(python.records)


@pytest.mark.parametrize(
    ("key", "module", "kind"),
    [
        ("str.split", "builtins", "method"),
        ("math.hypot", "math", "function"),
        ("os.listdir", "os", "function"),
        ("os.path.join", "os.path", "function"),
        ("json.loads", "json", "function"),
        ("datetime.datetime.strptime", "datetime", "method"),
        ("collections.OrderedDict.move_to_end", "collections", "method"),
        ("numpy.percentile", "numpy", "function"),
        ("numpy.add", "numpy", "function"),
        ("numpy.linalg.svd", "numpy.linalg", "function"),
        ("numpy.random.Generator.normal", "numpy.random", "method"),
        ("itertools.chain", "itertools", "class"),
    ],
)
def test_what_everyone_knows_is_there_under_its_own_name(python: Harvest, key: str, module: str, kind: str) -> None:
    record = next(record for record in python.records if record["key"] == key)
    assert (record["module"], record["kind"]) == (module, kind)
    assert len(record["summary"].split()) >= 2
    assert record["signature"].startswith(key.rsplit(".", 1)[-1])


def test_aliases_are_not_listed_twice(python: Harvest) -> None:
    keys = {record["key"] for record in python.records}
    assert "OSError" in keys
    assert not keys & {"IOError", "EnvironmentError", "numpy.half", "sqlite3.Date", "ntpath.join", "posixpath.join"}
    said = [(record["name"], record["text"], record["signature"]) for record in python.records]
    assert len(said) - len(set(said)) < 0.01 * len(said)  # the same text under the same name in two packages


def test_records_have_the_fields_of_the_schema(python: Harvest) -> None:
    kinds = {"text": str, "category": str, "integer": int, "boolean": bool}
    for record in python.records:
        assert set(record) <= set(SCHEMA)
        assert {"key", "name", "summary", "text", "signature", "package", "module", "kind"} <= set(record)
        assert all(type(value) is kinds[SCHEMA[name]] for name, value in record.items())
        assert record["summary"].isprintable()


def test_the_same_packages_give_the_same_records() -> None:
    first, second = (harvest(120, ["json", "rich"]) for _ in range(2))
    assert first == second


def test_a_limit_is_shared_out() -> None:
    read = harvest(300, ["jinja2", "rich"])
    assert len(read.records) == 300
    assert read.kept == {"jinja2": 150, "rich": 150}
    assert all(read.found[name] > read.kept[name] for name in read.kept)


def test_packages_beyond_the_limit_are_not_read_and_said_so() -> None:
    read = harvest(10, ["json", "rich", "jinja2"])
    assert read.left_out == ["jinja2"]


@given(
    st.dictionaries(st.sampled_from(["numpy", "scipy", "a", "b", "c"]), st.integers(0, 1_000)), st.integers(0, 2_000)
)
def test_fair_shares_use_the_limit_and_no_more(sizes: dict[str, int], limit: int) -> None:
    shares = fair_shares(sizes, limit)
    assert sum(shares.values()) == min(limit, sum(sizes.values()))
    assert all(0 <= shares[name] <= size for name, size in sizes.items())


@given(st.lists(st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,12}", fullmatch=True), min_size=1, max_size=4))
def test_spoken_names_keep_every_letter(parts: list[str]) -> None:
    words = spoken(".".join(parts), "function")
    assert words.replace(" ", "") == parts[-1].replace("_", "").lower()


def test_modules_that_are_not_on_the_list_are_not_imported() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "similia.demo.harvest.live", "this", "antigravity", "cmath"],
        capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert {row["module"] for row in rows} == {"cmath"}
    assert "Zen" not in done.stdout


def test_a_package_that_takes_too_long_gives_nothing() -> None:
    assert live.inspect_package("numpy", timeout=0.001) == []


def test_nothing_is_imported_to_find_packages() -> None:
    code = "import sys; from similia.demo.harvest import packages; p = packages.installed(['scipy', 'numpy']);"
    code += "print(len(p), 'scipy' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.split() == ["2", "False"]


def test_unknown_packages_are_passed_over() -> None:
    assert packages.installed(["no_such_package_at_all", "not-a-name"]) == []
