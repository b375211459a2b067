"""What runs a transformer's ONNX file: OpenVINO where it is installed and works, ONNX Runtime otherwise.

Both read the same file and agree to a cosine of at least .998, so the runtime is no part of a fingerprint.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np

from similia.errors import ModelError
from similia.types import Float32, Int64

VARIABLE = "SIMILIA_ENCODER_RUNTIME"
NAMES = ("openvino", "onnxruntime")
SHORT = 24  # tokens; a runtime may treat sequences up to this length with more care, so no batch holds both kinds


@dataclass(frozen=True, eq=False)
class Batch:
    """Token sequences of similar length: ``ids`` and ``mask`` int64 (b, t); ``rows`` int64 (b,) say whose they are."""

    rows: Int64
    ids: Int64
    mask: Int64

    def feed(self, names: Sequence[str]) -> dict[str, Int64]:
        """The arrays that a model's inputs of these names take."""
        arrays = {"input_ids": self.ids, "attention_mask": self.mask}
        return {name: arrays[name] if name in arrays else np.zeros_like(self.ids) for name in names}


class Runtime(Protocol):
    """Runs batches through a model."""

    @property
    def name(self) -> str:
        """``openvino`` or ``onnxruntime``."""
        ...

    def run(self, batches: Iterable[Batch]) -> Iterator[tuple[Batch, Float32]]:
        """Each batch, in the order given, with its last hidden state float32 (b, t, d).

        The array may be reused once the next pair is asked for.
        """
        ...


def open_runtime(model: Path, *, runtime: str | None = None) -> Runtime:
    """Make the model ready to run.

    Args:
        model: an ONNX file.
        runtime: ``openvino`` or ``onnxruntime``; None takes ``SIMILIA_ENCODER_RUNTIME``, else the first that works.

    Raises:
        ModelError: no such runtime, or the file cannot be run by it.
    """
    chosen = runtime or os.environ.get(VARIABLE) or "auto"
    if chosen not in (*NAMES, "auto"):
        raise ModelError(f"{VARIABLE}={chosen}: no such runtime; expected {' or '.join(NAMES)}")
    reasons = []
    for name in NAMES if chosen == "auto" else (chosen,):
        try:
            if name == "openvino":
                from similia.encode.openvino_runtime import OpenVINORuntime

                return OpenVINORuntime(model)
            from similia.encode.onnx_runtime import ONNXRuntime

            return ONNXRuntime(model)
        except ModelError as error:
            reasons.append(f"{name}: {error}")
    raise ModelError(f"{model} cannot be run; {'; '.join(reasons)}")


def check_ports(model: Path, inputs: Sequence[str], ranks: Sequence[int]) -> int:
    """Refuse a model that is no text transformer; return which of its outputs holds the tokens' vectors.

    Args:
        model: the file, for the error.
        inputs: the names of its inputs.
        ranks: the number of axes of each of its outputs.
    """
    if not {"input_ids"} <= set(inputs) <= {"input_ids", "attention_mask", "token_type_ids"} or 3 not in ranks:
        raise ModelError(
            f"{model} takes {', '.join(inputs)} and gives outputs with {list(ranks)} axes; expected input_ids, "
            "attention_mask, perhaps token_type_ids, and an output with 3 axes (text, token, dimension)"
        )
    return list(ranks).index(3)


def processors() -> int:
    """How many processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return max(1, len(os.sched_getaffinity(0)))
    return os.cpu_count() or 1
