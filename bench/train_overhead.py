"""What the training loop costs beside plain Keras: milliseconds a step of the same net, batch and pictures.

    python -m bench.train_overhead [--steps 30] [--rounds 4]

Plain Keras is `train_on_batch` in this process; ours is `Fitter.step` in a Ray Train worker (one worker, same threads).
They take turns by rounds, because other work on the machine disturbs both; the ratio of the medians is printed.
"""

import argparse
import json
import os
import statistics
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")


def batch(size: int) -> tuple[Any, Any]:
    from inspection.preprocessing import SHAPE

    rng = np.random.default_rng(0)
    return rng.integers(0, 255, (size, *SHAPE)).astype(np.uint8), (np.arange(size) % 2).astype(np.float32)


def timed(step: Callable[[], Any], steps: int) -> list[float]:
    """Milliseconds of each step, after three to warm up."""
    for _ in range(3):
        step()
    told = []
    for _ in range(steps):
        start = time.perf_counter()
        step()
        told.append((time.perf_counter() - start) * 1000)
    return told


def plain(steps: int) -> list[float]:
    import keras

    from training.network import RECIPE, build, losses

    model = build(0)
    optimizer = keras.optimizers.AdamW(RECIPE.learning_rate, weight_decay=RECIPE.weight_decay, global_clipnorm=1.0)
    single = keras.Model(model.input, model.outputs[0])
    single.compile(optimizer, loss=lambda labels, logit: losses(labels[:, 0], [logit]))
    pixels, labels = batch(RECIPE.batch)
    pictures = pixels[..., np.newaxis].astype(np.float32)
    return timed(lambda: single.train_on_batch(pictures, labels[:, np.newaxis]), steps)


def worker(config: dict[str, Any]) -> None:
    from training.fitting import Fitter
    from training.network import RECIPE, build

    fitter = Fitter(lambda: build(0), replace(RECIPE, ema=0.99), 100)
    pixels, labels = batch(RECIPE.batch)
    Path(config["out"]).write_text(json.dumps(timed(lambda: fitter.step(pixels, labels), config["steps"])))


def ours(steps: int) -> list[float]:
    import ray.train
    from ray.train.tensorflow import TensorflowTrainer

    with TemporaryDirectory() as folder:
        out = Path(folder) / "steps.json"
        TensorflowTrainer(
            worker,
            train_loop_config={"out": str(out), "steps": steps},
            scaling_config=ray.train.ScalingConfig(num_workers=1, resources_per_worker={"CPU": os.cpu_count() or 1}),
            run_config=ray.train.RunConfig(name="overhead", storage_path=folder),
        ).fit()
        return list(json.loads(out.read_text()))


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--steps", type=int, default=30)
    parser.add_argument("--rounds", type=int, default=4)
    options = parser.parse_args()
    import ray

    ray.init("local", include_dashboard=False, log_to_driver=False, logging_level="ERROR")
    found: dict[str, list[float]] = {"plain": [], "ours": []}
    for _ in range(options.rounds):
        found["plain"] += plain(options.steps)
        found["ours"] += ours(options.steps)
    plain_ms, ours_ms = statistics.median(found["plain"]), statistics.median(found["ours"])
    print(f"plain Keras {plain_ms:.1f} ms a step, Ray Train {ours_ms:.1f} ms, overhead {ours_ms / plain_ms - 1:+.1%}")


if __name__ == "__main__":
    main()
