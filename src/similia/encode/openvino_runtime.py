"""OpenVINO: the fastest way to run a transformer on most x86 processors, with its telemetry kept out."""

from __future__ import annotations

import contextlib
import hashlib
import importlib
import io
import os
import sys
import tempfile
from collections import deque
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from similia.encode.base import fingerprint
from similia.encode.files import cache_folder, sha256
from similia.encode.runtime import SHORT, Batch, check_ports, processors
from similia.errors import ModelError
from similia.types import Float32

# Activations of layers with int8 weights are quantised in groups of this many (0: not at all). Of 200 texts of 12 words
# the least cosine to the float32 model is .9992 without, .9988 with OpenVINO's own 32, and .9983 with 64, which takes a
# fifth less time than none. Texts of a word or two, such as queries, suffer more (.994, where the int8 weights alone
# give .996) and cost little: they go without.
GROUP = "64"
GROUP_SHORT = "0"
KEPT = 8  # compiled models that are kept; the oldest beyond them is removed


def import_openvino() -> ModuleType:
    """Import OpenVINO so that it sends nothing.

    ``import openvino`` imports its model converter, and that reports "import" to Google Analytics through the package
    ``openvino_telemetry`` (2025.2: at import, unless a consent file says no). OpenVINO itself runs without either: it
    expects that the converter may be missing, and the converter has a stub for when the telemetry is. So both are
    hidden while it is imported, and the telemetry stays hidden for the life of the process.
    """
    if "openvino" not in sys.modules:
        sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]
        converter = "openvino.tools.ovc"
        sys.modules[converter] = None  # type: ignore[assignment]
        try:
            importlib.import_module("openvino")
        finally:
            sys.modules.pop(converter, None)
    return importlib.import_module("openvino")


class OpenVINORuntime:
    """A transformer on OpenVINO: one batch in flight a processor, each on one thread.

    That costs a quarter less processor time than one batch on all threads. Where the processor has bfloat16
    arithmetic it is used; the vectors stay within a cosine of .9999 of float32.
    """

    name = "openvino"

    def __init__(self, model: Path) -> None:
        try:
            openvino = import_openvino()
        except ImportError as error:
            raise ModelError(f"openvino cannot be imported ({error}); run: pip install openvino") from None
        self._openvino = openvino
        self._model = model
        self._requests: dict[str, list[Any]] = {}
        self._open(GROUP_SHORT)

    def _open(self, group: str) -> list[Any]:
        """The requests of the model as compiled for a group size; made on first use."""
        if group in self._requests:
            return self._requests[group]
        try:
            compiled = _compiled(self._openvino, self._model, group)
        except (RuntimeError, ValueError) as error:
            raise ModelError(f"{self._model} is not an ONNX model that OpenVINO can run ({str(error)[:200]})") from None
        self._inputs = [port.get_any_name() for port in compiled.inputs]
        ranks = [len(port.get_partial_shape()) for port in compiled.outputs]
        self._output = check_ports(self._model, self._inputs, ranks)
        self._requests[group] = [compiled.create_infer_request() for _ in range(processors())]
        return self._requests[group]

    def run(self, batches: Iterable[Batch]) -> Iterator[tuple[Batch, Float32]]:
        """See `similia.encode.runtime.Runtime`."""
        turn = 0
        flying: deque[tuple[Any, Batch]] = deque()
        try:
            for batch in batches:
                requests = self._open(GROUP_SHORT if batch.ids.shape[1] <= SHORT else GROUP)
                if len(flying) == len(requests):
                    request, done = flying.popleft()
                    yield done, self._hidden(request)
                # The last len(requests) batches took the other turns, so this one's request is free.
                request = requests[turn % len(requests)]
                turn += 1
                request.start_async(batch.feed(self._inputs))
                flying.append((request, batch))
            while flying:
                request, done = flying.popleft()
                yield done, self._hidden(request)
        finally:
            # Whoever stops asking early leaves requests in flight, which must end before they are used again.
            for request, _ in flying:
                request.wait()

    def _hidden(self, request: Any) -> Float32:
        request.wait()
        return np.asarray(request.get_output_tensor(self._output).data, dtype=np.float32)


def _compiled(openvino: ModuleType, model: Path, group: str) -> Any:
    """The model compiled for this machine, from the cache where it is there."""
    core = openvino.Core()
    settings = {
        "INFERENCE_NUM_THREADS": processors(),
        "NUM_STREAMS": processors(),
        "DYNAMIC_QUANTIZATION_GROUP_SIZE": group,
    }
    abilities = core.get_property("CPU", "OPTIMIZATION_CAPABILITIES")
    if "BF16" in abilities:
        settings["INFERENCE_PRECISION_HINT"] = "bf16"
    key = fingerprint(
        model=sha256(model),
        openvino=openvino.get_version(),
        processor=core.get_property("CPU", "FULL_DEVICE_NAME"),
        abilities=sorted(abilities),
        settings=settings,
    )
    place = cache_folder() / "openvino" / f"{key[:32]}.blob"
    if (blob := _read_blob(place)) is not None:
        with contextlib.suppress(RuntimeError):
            return core.import_model(io.BytesIO(blob), "CPU", settings)
    graph = core.read_model(str(model))
    _plain_attention(graph)
    compiled = core.compile_model(graph, "CPU", settings)
    _write_blob(place, compiled)
    return compiled


def _plain_attention(graph: Any) -> None:
    """Replace ``where(isnan(softmax(x)), 0, softmax(x))`` by ``softmax(x)``.

    PyTorch's exporter guards against sequences that are masked from end to end. We send none, and the guard keeps
    OpenVINO from fusing the attention (a tenth of the time on long texts).
    """
    for node in graph.get_ops():
        if node.get_type_name() != "Select":
            continue
        guard = node.input_value(0).get_node()
        softmax = node.input_value(2)
        if (
            guard.get_type_name() == "IsNaN"
            and softmax.get_node().get_type_name() == "Softmax"
            and guard.input_value(0).get_node() == softmax.get_node()
        ):
            node.output(0).replace(softmax)
    graph.validate_nodes_and_infer_types()


def _read_blob(place: Path) -> bytes | None:
    """What was cached, if it is there and whole: OpenVINO crashes on a truncated file and believes a changed one."""
    try:
        content = place.read_bytes()
    except OSError:
        return None
    digest, blob = content[:32], content[32:]
    return blob if hashlib.sha256(blob).digest() == digest else None


def _write_blob(place: Path, compiled: Any) -> None:
    """Cache a compiled model, in one step; a cache that cannot be written costs time only."""
    with contextlib.suppress(OSError, RuntimeError):
        blob = compiled.export_model().getvalue()
        place.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=place.parent, prefix=".blob")
        try:
            with os.fdopen(handle, "wb") as stream:
                stream.write(hashlib.sha256(blob).digest() + blob)
            Path(temporary).replace(place)
        except OSError:
            Path(temporary).unlink(missing_ok=True)
            raise
        known = sorted(place.parent.glob("*.blob"), key=lambda path: path.stat().st_mtime)
        for old in known[:-KEPT]:
            old.unlink(missing_ok=True)
