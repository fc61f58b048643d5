"""The network in use: a bundle's engine, its calibration, its thresholds. The only module that knows OpenVINO."""

from collections.abc import Sequence
from pathlib import Path
from queue import LifoQueue
from typing import Any

import numpy as np
import numpy.typing as npt
import openvino

from inspection.bundle import ENGINE, Card, read_card
from inspection.errors import Unavailable
from inspection.judgement import Judgement, judge
from inspection.preprocessing import PREPROCESSING, SHAPE, Sample, onto_picture
from inspection.unusable import Limits, doubts, reasons

Pixels = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]


def compiled(engine: Path, threads: int | None = None) -> Any:
    """An exported network, compiled for the CPU. ``threads`` bounds the engine's threads (None: all cores)."""
    # Full precision: some processors would compute in bfloat16 by default, and the same picture get another score.
    # No pinning: the engines of two processes with fewer threads than cores would share the first core.
    settings: dict[str, Any] = {
        "PERFORMANCE_HINT": "LATENCY",
        "INFERENCE_PRECISION_HINT": "f32",
        "ENABLE_CPU_PINNING": False,
        "NUM_STREAMS": 1,
    }
    if threads is not None:
        settings["INFERENCE_NUM_THREADS"] = threads
    return openvino.Core().compile_model(engine, "CPU", settings)


class Classifier:
    """Judges batches of prepared pictures. Thread-safe: as many passes at once as ``engines``, the next waits.

    An engine with one thread computes in the thread that calls it; one of several streams would hand every batch over
    to threads of its own, which is slower where other work wants the same cores (docs/decisions/0060).
    """

    def __init__(self, card: Card, engines: Sequence[Any]) -> None:
        self.version = card.version
        self._card = card
        self._limits = Limits.of(card.rejection)
        self._requests = [engine.create_infer_request() for engine in engines]
        self._free: LifoQueue[Any] = LifoQueue()  # what was used last is in the processor's caches
        for request in self._requests:
            self._free.put(request)

    @classmethod
    def load(cls, bundle: Path, threads: int | None = None, engines: int = 1) -> "Classifier":
        """Load and compile a bundle for the CPU, ``engines`` times; ``threads`` of each as in :func:`compiled`.

        Raises:
            Unavailable: ``model_unavailable`` when card or engine is missing or broken, or made for another
                preprocessing.
        """
        card = read_card(bundle)
        if card.preprocessing != PREPROCESSING:
            raise Unavailable("model_unavailable", f"{bundle} needs {card.preprocessing}, this is {PREPROCESSING}.")
        try:
            return cls(card, [compiled(bundle / ENGINE, threads) for _ in range(engines)])
        except RuntimeError as error:
            raise Unavailable("model_unavailable", f"{bundle / ENGINE} is missing or broken.") from error

    def warm(self, sizes: Sequence[int]) -> None:
        """Let every engine judge batches of these sizes, before others use it: the first of a size takes longer."""
        for request in self._requests:
            for size in sizes:
                _infer(request, np.zeros((size, *SHAPE), np.uint8))

    def judge(self, pixels: Pixels, measures: Floats) -> list[Judgement]:
        """One forward pass: ``pixels`` uint8 [N, *SHAPE], ``measures`` float32 [N, M] to N judgements."""
        logits = self._outputs(pixels)[0].reshape(-1)
        unusable, doubtful = reasons(pixels, measures, self._limits), doubts(measures, self._limits)
        return [
            judge(self._card.calibration.probability(float(logit)), why, self._card.thresholds, self.version, doubt)
            for logit, why, doubt in zip(logits, unusable, doubtful, strict=True)
        ]

    def heatmap(self, sample: Sample) -> Floats:
        """Where the network sees a defect: float32 [h, w], 0 to 1, in the picture's frame, at most 512 a side.

        The network decides place by place; these are its places' calibrated probabilities.
        """
        places = self._outputs(sample.pixels[np.newaxis])[1][0, :, :, 0]
        calibration = self._card.calibration
        heat = 0.5 * (1 + np.tanh(0.5 * (calibration.scale * places + calibration.shift)))
        return onto_picture(heat.astype(np.float32), sample.measures)

    def _outputs(self, pixels: Pixels) -> list[Floats]:
        request = self._free.get()
        try:
            return _infer(request, pixels)
        finally:
            self._free.put(request)


def _infer(request: Any, pixels: Pixels) -> list[Floats]:
    found = request.infer({0: pixels[..., np.newaxis].astype(np.float32)}, share_inputs=True)
    return [np.asarray(found[number]) for number in range(len(found))]
