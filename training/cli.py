"""``casting train``: options and printed lines only."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

Data = Annotated[Path, typer.Option(help="Folder or zip with ok_front and def_front folders, as downloaded.")]
Work = Annotated[
    Path | None, typer.Option(help="Prepared pictures and checkpoints; shared by the nodes. Default: var/training.")
]


def add(app: typer.Typer) -> None:
    """Register the subcommands of this folder."""
    app.command("train")(_train)


def _train(
    data: Data,
    out: Annotated[Path, typer.Option(help="The bundle to write, such as models/2026-11.")],
    workers: Annotated[int, typer.Option(min=1, help="Data-parallel workers; with --gpu one GPU each.")] = 1,
    gpu: Annotated[bool, typer.Option("--gpu", help="Train on GPUs.")] = False,
    seed: Annotated[int, typer.Option(help="Of weights, order and augmentation.")] = 0,
    fold: Annotated[int, typer.Option(min=0, help="Which fold is held back for validation.")] = 0,
    folds: Annotated[int, typer.Option(min=2)] = 5,
    epochs: Annotated[int | None, typer.Option(min=1, help="Another length than the recipe's.")] = None,
    miss_cost: Annotated[float, typer.Option(min=0.01, help="What a miss costs, in false alarms.")] = 10.0,
    work: Work = None,
) -> None:
    """Train a model by Ray Train and write its bundle. Killed, the same command goes on from the last checkpoint."""
    from training.thresholds import Policy
    from training.train import Order, train

    where = work or Path(os.environ.get("CASTING_DATA_DIR", "var")) / "training"
    order = Order(data, out, where, workers, gpu, seed, fold, folds, epochs, Policy(miss_cost))
    with _ray():
        figures = train(order, typer.echo)
    _summary(order.out, figures)


@contextmanager
def _ray() -> Iterator[None]:
    """The cluster of RAY_ADDRESS, or one of our own on this machine that ends with the command."""
    import logging

    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    import ray

    ray.init(
        os.environ.get("RAY_ADDRESS"),
        include_dashboard=False,
        log_to_driver=False,
        logging_level=logging.ERROR,
    )
    try:
        yield
    finally:
        ray.shutdown()


def _summary(bundle: Path, figures: dict[str, Any]) -> None:
    recall, review = figures["recall"], figures["review"]["value"]
    typer.echo(
        f"{bundle}: validation {figures['pictures']} pictures, {figures['missed']} missed, "
        f"{figures['false_alarms']} false alarms, recall {recall['low']:.2%} to {recall['high']:.2%} (95 %), "
        f"{review:.2%} to review"
    )
