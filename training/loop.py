"""The training run: Ray Train's TensorflowTrainer, one worker a share of each batch, a checkpoint an epoch.

A run that was killed goes on from its last checkpoint when it is started again in the same folder. Knows Ray and
TensorFlow; what a step does is in ``fitting``, what a network is in ``network``.
"""

import hashlib
import json
import os
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from inspection.errors import Unavailable
from training import progress
from training.network import Recipe
from training.prepared import Prepared, load
from training.split import Split

Batch = tuple[npt.NDArray[np.uint8], npt.NDArray[np.float32]]
PROGRESS = "progress.jsonl"
_STATE = "state.npz"


@dataclass(frozen=True, slots=True)
class Run:
    """One training run. ``folder`` keeps its checkpoints and progress; on several nodes it must be shared."""

    folder: Path
    recipe: Recipe
    seed: int
    workers: int = 1
    gpu: bool = False


@dataclass(frozen=True, slots=True)
class Fitted:
    """The best epoch: its averaged ``weights`` in the model's order, its metrics, and whether all workers' agreed."""

    weights: list[npt.NDArray[Any]]
    metrics: dict[str, float]
    history: list[progress.Progress]
    workers_agree: bool


def fit(data: Prepared, split: Split, run: Run) -> Fitted:
    """Train, or go on training; blocks until it is done. Ray must be initialised.

    Raises:
        Unavailable: ``training_failed``, a worker failed for good; starting again goes on from the last checkpoint.
    """
    import ray.train
    from ray.train.tensorflow import TensorflowTrainer

    folder = place(data, split, run)
    folder.mkdir(parents=True, exist_ok=True)
    np.savez(folder / "split.npz", train=split.train, held=split.held)
    config = {
        "data": str(data.folder.resolve()),
        "folder": str(folder),
        "recipe": asdict(run.recipe),
        "seed": run.seed,
    }
    trainer = TensorflowTrainer(
        work,
        train_loop_config=config,
        scaling_config=ray.train.ScalingConfig(
            num_workers=run.workers, use_gpu=run.gpu, resources_per_worker=_resources(run)
        ),
        run_config=ray.train.RunConfig(
            name=folder.name,
            storage_path=str(folder.parent),
            failure_config=ray.train.FailureConfig(max_failures=3),
            checkpoint_config=ray.train.CheckpointConfig(
                num_to_keep=2, checkpoint_score_attribute="held_loss", checkpoint_score_order="min"
            ),
        ),
    )
    try:
        result = trainer.fit()
    except ray.train.TrainingFailedError as error:
        raise Unavailable("training_failed", f"Training failed: {error}") from error
    checkpoint, metrics = min(result.best_checkpoints, key=lambda kept: float(kept[1]["held_loss"]))
    from training.fitting import averaged_weights

    # An epoch whose checkpoint wasn't kept when the run was killed was gone through again: the last one counts.
    ended = {one.epoch: one for one in progress.read(folder / PROGRESS) if one.held_loss is not None}
    weights = averaged_weights(_read(checkpoint))
    return Fitted(weights, dict(metrics), list(ended.values()), _agree(folder, run.workers))


def place(data: Prepared, split: Split, run: Run) -> Path:
    """The run's folder: a changed recipe, seed, split or data begins anew beside the old one."""
    rows = hashlib.sha256(split.train.tobytes() + split.held.tobytes()).hexdigest()
    told = f"{data.folder.name} {rows} {run.recipe} {run.seed} {run.workers}"
    return run.folder.resolve() / hashlib.sha256(told.encode()).hexdigest()[:16]


def work(config: dict[str, Any]) -> None:
    """What each worker does: runs in a process of Ray Train."""
    import ray.train
    import tensorflow as tf

    context = ray.train.get_context()
    rank, world = context.get_world_rank(), context.get_world_size()
    if not tf.config.list_physical_devices("GPU"):
        threads = max(1, (os.cpu_count() or 1) // context.get_local_world_size())
        tf.config.threading.set_intra_op_parallelism_threads(threads)
    # One worker needs no collectives; its step is the plain one.
    strategy = tf.distribute.MultiWorkerMirroredStrategy() if world > 1 else tf.distribute.get_strategy()
    with strategy.scope():
        _Worker(config, rank, world).run()


class _Worker:
    """One rank of the run: its share of every batch, its share of the validation pictures."""

    def __init__(self, config: dict[str, Any], rank: int, world: int) -> None:
        from training.fitting import Fitter
        from training.network import build

        self._rank, self._world, self._seed = rank, world, int(config["seed"])
        self._folder, self._recipe = Path(config["folder"]), Recipe(**config["recipe"])
        self._data = load(Path(config["data"]))
        rows = np.load(self._folder / "split.npz")
        self._train, self._held = rows["train"], rows["held"][rank::world]
        self._steps = len(self._train) // self._recipe.batch
        if self._steps == 0 or self._recipe.batch % world:
            raise ValueError(f"{len(self._train)} pictures, batch {self._recipe.batch}, {world} workers don't fit.")
        self._fitter = Fitter(lambda: build(self._seed), self._recipe, self._steps)

    def run(self) -> None:
        import ray.train

        first, best, best_epoch = 0, np.inf, 0
        checkpoint = ray.train.get_checkpoint()
        if checkpoint is not None:
            state = _read(checkpoint)
            self._fitter.restore(state)
            first, best, best_epoch = int(state["epoch"]) + 1, float(state["best"]), int(state["best_epoch"])
        journal = progress.Journal(self._folder / PROGRESS, self._recipe.epochs, first)
        for epoch in range(first, self._recipe.epochs):
            if epoch - best_epoch > self._recipe.patience:
                break
            loss = self._epoch(epoch, journal)
            metrics = self._judge()
            if metrics["held_loss"] < best:
                best, best_epoch = metrics["held_loss"], epoch
            if self._rank == 0:
                journal.epoch(epoch, loss, **metrics)
            self._keep(metrics, {"epoch": epoch, "best": best, "best_epoch": best_epoch}, loss)

    def _epoch(self, epoch: int, journal: progress.Journal) -> float:
        total = 0.0
        for number, (pixels, labels) in enumerate(ahead(self._batches(epoch))):
            total += self._fitter.step(pixels, labels)
            if self._rank == 0:
                journal.step(epoch, (number + 1) / self._steps, total / (number + 1))
        return total / self._steps

    def _batches(self, epoch: int) -> Iterator[Batch]:
        """This rank's share of the epoch's batches; the same on every machine for the same seed and epoch."""
        from training.augment import augment

        order = np.random.default_rng([self._seed, epoch])
        rows, copies = order.permutation(self._train), order.integers(len(self._data.pixels), size=len(self._train))
        own = np.random.default_rng([self._seed, epoch, self._rank])
        for number in range(self._steps):
            share = slice(number * self._recipe.batch + self._rank, (number + 1) * self._recipe.batch, self._world)
            pixels, labels = self._data.pixels[copies[share], rows[share]], self._data.labels[rows[share]]
            yield augment(pixels, labels, own), labels

    def _judge(self) -> dict[str, float]:
        """Loss, recall and false alarms over the validation pictures, as they are and in their first altered copy."""
        copies = range(min(2, len(self._data.pixels)))
        with self._fitter.averaged():
            labels = self._data.labels[self._held]
            sums = [self._fitter.judged(self._data.pixels[copy][self._held], labels) for copy in copies]
        total = self._fitter.over_all_workers(np.sum(sums, axis=0))
        loss, count, misses, defects, alarms = (float(value) for value in total)
        recall, false_alarms = 1 - misses / max(1.0, defects), alarms / max(1.0, count - defects)
        return {"held_loss": loss / count, "recall": recall, "false_alarms": false_alarms}

    def _keep(self, metrics: dict[str, float], place: dict[str, float], loss: float) -> None:
        import ray.train

        (self._folder / f"rank-{self._rank}.json").write_text(
            json.dumps({"epoch": place["epoch"], "weights": self._fitter.fingerprint()})
        )
        with tempfile.TemporaryDirectory() as folder:
            kept = None
            if self._rank == 0:
                state: dict[str, Any] = {**self._fitter.state(), **place}
                np.savez(Path(folder) / _STATE, **state)
                kept = ray.train.Checkpoint.from_directory(folder)
            ray.train.report({**metrics, **place, "loss": loss}, checkpoint=kept)


def ahead(batches: Iterator[Batch]) -> Iterator[Batch]:
    """The same batches, the next one made in a thread while this one is used."""
    with ThreadPoolExecutor(1) as pool:
        coming = pool.submit(next, batches, None)
        while (batch := coming.result()) is not None:
            coming = pool.submit(next, batches, None)
            yield batch


def shortened(recipe: Recipe, epochs: int | None) -> Recipe:
    """The same recipe over another number of epochs."""
    return recipe if epochs is None else replace(recipe, epochs=epochs)


def _resources(run: Run) -> dict[str, float]:
    """Without GPUs the workers share the cluster's processors; with them each has one GPU and a core to feed it."""
    import ray

    cores = ray.cluster_resources().get("CPU", 1.0)
    return {"CPU": 1, "GPU": 1} if run.gpu else {"CPU": max(1.0, cores // run.workers)}


def _read(checkpoint: Any) -> dict[str, npt.NDArray[Any]]:
    with checkpoint.as_directory() as folder, np.load(Path(folder) / _STATE) as state:
        return dict(state)


def _agree(folder: Path, workers: int) -> bool:
    """Whether all ranks ended their last epoch with the same weights."""
    return len({(folder / f"rank-{rank}.json").read_text() for rank in range(workers)}) == 1
