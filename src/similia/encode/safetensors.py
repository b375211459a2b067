"""Tensors out of a safetensors file, by NumPy alone.

The format (github.com/huggingface/safetensors): 8 bytes with the length of a JSON header, the header with each tensor's
type, shape and place, then the tensors' bytes. Nothing in it can be executed.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from similia.errors import ModelError

TYPES: Mapping[str, str] = {
    "F64": "<f8",
    "F32": "<f4",
    "F16": "<f2",
    "BF16": "<u2",
    "I64": "<i8",
    "I32": "<i4",
    "I16": "<i2",
    "I8": "i1",
    "U8": "u1",
}
HEADER_LIMIT = 100_000_000  # bytes; the limit of the reference implementation


def read_safetensors(path: Path) -> dict[str, npt.NDArray[Any]]:
    """All tensors of a file by name; bfloat16 as float32, other types as they are.

    Raises:
        ModelError: the file is missing, cut off, or not of this format.
    """
    try:
        with path.open("rb") as stream:
            size = int.from_bytes(stream.read(8), "little")
            header = json.loads(stream.read(size)) if size <= HEADER_LIMIT else None
            content = stream.read()
    except OSError as error:
        raise ModelError(f"{path}: cannot be read ({error.strerror or error})") from None
    except ValueError:
        header, content = None, b""
    if not isinstance(header, dict):
        raise ModelError(f"{path} is not a safetensors file, or it is damaged: its header cannot be read")
    return {name: _tensor(path, name, entry, content) for name, entry in header.items() if name != "__metadata__"}


def _tensor(path: Path, name: str, entry: Any, content: bytes) -> npt.NDArray[Any]:
    try:
        kind, shape, (start, stop) = entry["dtype"], [int(side) for side in entry["shape"]], entry["data_offsets"]
        dtype = np.dtype(TYPES[kind])
        if not 0 <= start <= stop <= len(content) or stop - start != math.prod(shape) * dtype.itemsize:
            raise ValueError(f"bytes {start} to {stop} of {len(content)} for shape {shape}")
        array = np.frombuffer(content, dtype, math.prod(shape), start).reshape(shape)
    except (KeyError, TypeError, ValueError) as error:
        raise ModelError(f"{path} is damaged or of an unknown kind: tensor {name!r} ({error!r})") from None
    if kind == "BF16":
        return (array.astype("<u4") << 16).view("<f4")
    return array
