"""What runs a pair model's ONNX file: OpenVINO where it is installed and works, ONNX Runtime otherwise.

They agree to rounding on float32 models; with int8 weights a probability in the middle may differ by a few hundredths.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from similia.encode.runtime import NAMES, VARIABLE, processors
from similia.errors import ModelError
from similia.types import Float32, Int64

INPUTS = {"input_ids", "attention_mask", "token_type_ids"}


class PairRuntime(Protocol):
    """Runs batches of token sequences through a classifier."""

    @property
    def name(self) -> str:
        """``openvino`` or ``onnxruntime``."""
        ...

    @property
    def length(self) -> int | None:
        """The one length of sequence that the file takes; None where it takes any."""
        ...

    def run(self, feed: Mapping[str, Int64]) -> Float32:
        """The logits float32 (b, labels) of a batch: arrays int64 (b, t) by name; a model takes those it knows."""
        ...


class _ONNX:
    name = "onnxruntime"

    def __init__(self, model: Path) -> None:
        try:
            import onnxruntime
        except ImportError as error:
            raise ModelError(f"onnxruntime cannot be imported ({error}); run: pip install onnxruntime") from None
        onnxruntime.disable_telemetry_events()
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = processors()
        options.inter_op_num_threads = 1
        options.log_severity_level = 4
        try:
            self._session = onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
        except Exception as error:  # noqa: BLE001  (its exceptions share no base class)
            raise ModelError(f"{model} is not an ONNX model that ONNX Runtime can run ({str(error)[:200]})") from None
        inputs = self._session.get_inputs()
        outputs = self._session.get_outputs()
        self._inputs = [each.name for each in inputs]
        self._output = outputs[_logits(model, self._inputs, [len(each.shape) for each in outputs])].name
        width = inputs[self._inputs.index("input_ids")].shape[1]
        self.length = width if isinstance(width, int) and width > 0 else None

    def run(self, feed: Mapping[str, Int64]) -> Float32:
        wanted = {name: feed[name] for name in self._inputs}
        return np.asarray(self._session.run([self._output], wanted)[0], dtype=np.float32)


class _OpenVINO:
    name = "openvino"

    def __init__(self, model: Path) -> None:
        from similia.encode.openvino_runtime import import_openvino

        try:
            openvino = import_openvino()
        except ImportError as error:
            raise ModelError(f"openvino cannot be imported ({error}); run: pip install openvino") from None
        # Logits are compared with each other and cut by thresholds: activations stay as they are.
        settings: dict[str, Any] = {
            "INFERENCE_NUM_THREADS": processors(),
            "INFERENCE_PRECISION_HINT": "f32",
            "DYNAMIC_QUANTIZATION_GROUP_SIZE": "0",
        }
        try:
            core = openvino.Core()
            compiled = core.compile_model(core.read_model(str(model)), "CPU", settings)
        except (RuntimeError, ValueError) as error:
            raise ModelError(f"{model} is not an ONNX model that OpenVINO can run ({str(error)[:200]})") from None
        self._inputs = [port.get_any_name() for port in compiled.inputs]
        self._output = _logits(model, self._inputs, [len(port.get_partial_shape()) for port in compiled.outputs])
        width = compiled.inputs[self._inputs.index("input_ids")].get_partial_shape()[1]
        self.length = int(width.get_length()) if width.is_static else None
        self._request = compiled.create_infer_request()

    def run(self, feed: Mapping[str, Int64]) -> Float32:
        self._request.infer({name: feed[name] for name in self._inputs})
        return np.array(self._request.get_output_tensor(self._output).data, dtype=np.float32)


def open_pair_runtime(model: Path, *, runtime: str | None = None) -> PairRuntime:
    """Make a pair model ready to run.

    Args:
        model: an ONNX file with an output of two axes (pair, label).
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
            return _OpenVINO(model) if name == "openvino" else _ONNX(model)
        except ModelError as error:
            reasons.append(f"{name}: {error}")
    raise ModelError(f"{model} cannot be run; {'; '.join(reasons)}")


def _logits(model: Path, inputs: Sequence[str], ranks: Sequence[int]) -> int:
    """Which output holds the logits."""
    if not {"input_ids"} <= {*inputs} <= INPUTS or 2 not in ranks:
        raise ModelError(
            f"{model} takes {', '.join(inputs)} and gives outputs with {list(ranks)} axes; expected input_ids, perhaps "
            "attention_mask and token_type_ids, and an output with 2 axes (pair, label)"
        )
    return list(ranks).index(2)
