"""Files of arrays: what is written is read, and nothing that was damaged is."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from similia.index.files import CHUNK, HEADER, Checksum, Column, open_verified, write


@given(count=st.integers(0, 40), width=st.integers(1, 5), chunk=st.integers(1, 50))
@settings(max_examples=40, deadline=None)
def test_what_is_written_is_read(tmp_path_factory: pytest.TempPathFactory, count: int, width: int, chunk: int) -> None:
    path = tmp_path_factory.mktemp("derived") / "file"
    rng = np.random.default_rng(count)
    rows = rng.standard_normal((count, width)).astype(np.float32)
    ids = rng.integers(0, 2**62, count)
    parts = [rows[start : start + chunk] for start in range(0, count, chunk)]
    write(path, {"a": 1}, {"rows": Column("<f4", rows.shape, parts), "ids": Column.of(ids)})
    opened = open_verified(path)
    assert opened is not None
    assert opened.header["a"] == 1
    np.testing.assert_array_equal(opened.arrays["rows"], rows)
    np.testing.assert_array_equal(opened.arrays["ids"], ids)
    assert opened.unchanged()
    assert [file.name for file in path.parent.iterdir()] == ["file"]


def test_any_changed_bit_and_any_cut_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "file"
    write(path, {}, {"rows": Column.of(np.arange(300, dtype=np.float32).reshape(100, 3))})
    whole = path.read_bytes()
    used = [*range(len(whole[:HEADER].rstrip(b"\0"))), *range(HEADER, len(whole))]
    rng = np.random.default_rng(0)
    for place in [0, 17, 20, 30, HEADER, len(whole) - 1, *rng.choice(used, 60).tolist()]:
        changed = bytearray(whole)
        changed[place] ^= 1 << int(rng.integers(8))
        path.write_bytes(changed)
        assert open_verified(path) is None, place
    for length in [0, 1, 26, HEADER - 1, HEADER, HEADER + 100, len(whole) - 1]:
        path.write_bytes(whole[:length])
        assert open_verified(path) is None, length
    path.write_bytes(whole + b"\0")
    assert open_verified(path) is None
    path.write_bytes(whole)
    assert open_verified(path) is not None


def test_a_column_that_does_not_fit_its_shape_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "file"
    write(path, {"old": True}, {})
    with pytest.raises(ValueError, match="shape"):
        write(path, {}, {"rows": Column("<f4", (2, 2), [np.zeros((1, 2))])})
    assert list(tmp_path.iterdir()) == [path]


def test_a_checksum_does_not_depend_on_how_the_bytes_come() -> None:
    rng = np.random.default_rng(3)
    data = rng.bytes(3 * CHUNK + 5)
    values = set()
    for _ in range(5):
        checksum, place = Checksum(), 0
        while place < len(data):
            step = int(rng.integers(1, 2 * CHUNK))
            checksum.update(data[place : place + step])
            place += step
        values.add(checksum.value())
    assert len(values) == 1
    other = Checksum()
    other.update(data[: CHUNK + 8] + data[: CHUNK + 8] + data[2 * CHUNK + 16 :])
    assert other.value() not in values


@pytest.mark.parametrize("kind", ["u1", "i1", "i2", "u2", "i4", "u4", "i8", "u8", "f2", "f4", "f8"])
def test_every_kind_of_number(tmp_path: Path, kind: str) -> None:
    array = np.arange(33).astype(kind)
    write(tmp_path / "file", {}, {"a": Column.of(array)})
    opened = open_verified(tmp_path / "file")
    assert opened is not None
    np.testing.assert_array_equal(opened.arrays["a"], array)
    assert opened.arrays["a"].dtype == array.dtype
