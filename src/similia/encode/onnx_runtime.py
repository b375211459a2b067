"""The fallback: ONNX Runtime, which runs wherever the base install does."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import numpy as np

from similia.encode.runtime import Batch, check_ports, processors
from similia.errors import ModelError
from similia.types import Float32


class ONNXRuntime:
    """A transformer on ONNX Runtime: one batch in flight a processor, each on one thread.

    That costs up to a third less processor time than one batch on all threads, which wait for each other spinning.
    """

    name = "onnxruntime"

    def __init__(self, model: Path) -> None:
        try:
            import onnxruntime
        except ImportError as error:
            raise ModelError(f"onnxruntime cannot be imported ({error}); run: pip install onnxruntime") from None
        onnxruntime.disable_telemetry_events()  # it has some on Windows
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.log_severity_level = 4
        try:
            self._session = onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
        except Exception as error:  # noqa: BLE001  (its exceptions share no base class)
            reason = (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
            raise ModelError(f"{model} is not an ONNX model that ONNX Runtime can run ({reason})") from None
        self._inputs = [each.name for each in self._session.get_inputs()]
        outputs = self._session.get_outputs()
        self._output = outputs[check_ports(model, self._inputs, [len(each.shape) for each in outputs])].name

    def run(self, batches: Iterable[Batch]) -> Iterator[tuple[Batch, Float32]]:
        """See `similia.encode.runtime.Runtime`."""
        flying: deque[tuple[Future[Float32], Batch]] = deque()
        with ThreadPoolExecutor(processors()) as pool:
            for batch in batches:
                if len(flying) == processors():
                    future, done = flying.popleft()
                    yield done, future.result()
                flying.append((pool.submit(self._hidden, batch), batch))
            while flying:
                future, done = flying.popleft()
                yield done, future.result()

    def _hidden(self, batch: Batch) -> Float32:
        return np.asarray(self._session.run([self._output], batch.feed(self._inputs))[0], dtype=np.float32)
