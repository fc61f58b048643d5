"""What every peer does with a call: the product's own decode and engine, nothing else. Knows no server."""

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Never

ROOT = Path(__file__).parents[3]
sys.path.insert(0, str(ROOT))

from inspection.batch import Batch, judge_batch  # noqa: E402
from inspection.bundle import champion  # noqa: E402
from inspection.classifier import Classifier  # noqa: E402
from inspection.preparing import Prepared, prepare_bytes  # noqa: E402

#: Engine threads a process: None lets the engine take all cores.
THREADS = int(os.environ["PEER_THREADS"]) if os.environ.get("PEER_THREADS") else None


def load() -> Classifier:
    return Classifier.load(champion(ROOT / "models"), THREADS)


def judged(classifier: Classifier, prepared: Sequence[Prepared]) -> list[dict[str, Any]]:
    """One forward pass over all of them."""
    batch: Batch[Never] = judge_batch(classifier, prepared)
    return [
        {
            "image_sha256": one.sha256,
            "prediction": one.judgement.prediction,
            "verdict": one.judgement.verdict,
            "reasons": one.judgement.reasons,
            "p_defect": one.judgement.p_defect,
            "model_version": one.judgement.model_version,
        }
        for one in batch.results
    ]


def whole(classifier: Classifier, pictures: Sequence[bytes]) -> dict[str, Any]:
    """Decode and judge one call."""
    results = judged(classifier, [prepare_bytes(picture) for picture in pictures])
    return results[0] if len(results) == 1 else {"results": results}


def parts(body: bytes) -> list[bytes]:
    """The files of a multipart body, for servers that hand over bytes only: the boundary is its first line."""
    boundary = body[: body.index(b"\r\n")]
    return [part[part.index(b"\r\n\r\n") + 4 : -2] for part in body.split(boundary)[1:-1]]
