from __future__ import annotations

from collections import defaultdict

from hypothesis import given
from hypothesis import strategies as st

from similia.collection.sources.keys import KeyHashes


@given(
    st.lists(st.lists(st.sampled_from("abcdefgh") | st.text(max_size=2), max_size=20), max_size=10), st.integers(1, 9)
)
def test_no_duplicate_is_missed_however_small_the_runs(parts: list[list[str]], run: int) -> None:
    rows = defaultdict(list)
    with KeyHashes(run) as keys:
        for part in parts:
            for key in part:
                rows[key].append(sum(map(len, rows.values())))
            keys.add(part)
        expected = sorted(places for places in rows.values() if len(places) > 1)
        assert sorted(group.tolist() for group in keys.collisions()) == expected
        assert keys.any_collision() == bool(expected)
        assert keys.earliest(2) == sorted(expected, key=lambda group: group[1])[:2]


def test_many_runs_are_compared_in_parts() -> None:
    with KeyHashes(run=100) as keys:
        for start in range(0, 20_000, 37):
            keys.add([str(number % 19_999) for number in range(start, min(start + 37, 20_000))])
        assert [group.tolist() for group in keys.collisions()] == [[0, 19_999]]


def test_equal_hashes_of_different_keys_are_collisions_only() -> None:
    with KeyHashes(run=10, bits=3) as keys:
        keys.add([str(number) for number in range(50)])
        groups = [group.tolist() for group in keys.collisions()]
        assert 1 <= len(groups) <= 8
        assert sum(map(len, groups)) >= 50 - 8
