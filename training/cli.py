"""``casting train``: options and printed lines only."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from training import modelcli

if TYPE_CHECKING:
    from inspection.classifier import Classifier
    from training.choosing import Set

Data = Annotated[Path, typer.Option(help="Folder or zip with ok_front and def_front folders, as downloaded.")]
Work = Annotated[
    Path | None, typer.Option(help="Prepared pictures and checkpoints; shared by the nodes. Default: var/training.")
]


def add(app: typer.Typer) -> None:
    """Register the subcommands of this folder."""
    app.command("train")(_train)
    app.command("evaluate")(_evaluate)
    modelcli.add(app)


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
    result: Annotated[Path | None, typer.Option(help="Write this run's figures as JSON too: a fold, a seed.")] = None,
    work: Work = None,
) -> None:
    """Train a model by Ray Train and write its bundle. Killed, the same command goes on from the last checkpoint."""
    from inspection.settings import Shared
    from training.thresholds import Policy
    from training.train import Order, train

    where = work or Shared().data_dir / "training"
    order = Order(data, out, where, workers, gpu, seed, fold, folds, epochs, Policy(miss_cost))
    with _ray():
        figures = train(order, typer.echo)
    if result is not None:
        from training.folds import keep

        keep(result, order, figures)
    _summary(order.out, figures)


def _evaluate(
    data: Data,
    model: Annotated[Path | None, typer.Option(help="A bundle; default: the champion.")] = None,
    altered: Annotated[bool, typer.Option("--altered", help="Judge altered copies too: another camera.")] = False,
    probes: Annotated[bool, typer.Option("--probes", help="Also: what it refuses, where it looks, the bench.")] = False,
    every: Annotated[int, typer.Option(min=1, help="With --altered: take every n-th picture only.")] = 1,
    out: Annotated[Path, typer.Option(help="Where the page with the plots goes.")] = Path("evaluation"),
    keep: Annotated[bool, typer.Option("--record", help="Write the figures into the model's card.")] = False,
) -> None:
    """Judge the official test of an archive (or a folder of one's own) and print and plot how often the model errs."""
    from inspection.bundle import champion, read_card
    from inspection.classifier import Classifier
    from inspection.settings import Shared
    from training import choosing, evaluate, page

    bundle = model or champion(Shared().models)
    classifier, bounds = Classifier.load(bundle), read_card(bundle).thresholds
    judged, training = choosing.chosen(data, bundle)
    answers = evaluate.judge_all(classifier, judged.greys)
    told = evaluate.figures(judged, answers)
    if training is not None:
        told["twins"] = evaluate.twins(judged, training, answers)
    typer.echo(evaluate.table(judged, told))
    steps = []
    for step in evaluate.altered(judged, classifier, every) if altered else ():
        typer.echo(step.line())
        steps.append(step)
    page.write(out / "evaluation.html", classifier.version, judged, answers, told, bounds, steps)
    typer.echo(f"{out / 'evaluation.html'} shows plots and the worst pictures.")
    asked = _probed(classifier, judged) if probes else {}
    if keep:
        evaluate.record(bundle, judged.name, told, steps, asked)


def _probed(classifier: "Classifier", judged: "Set") -> dict[str, Any]:
    from training import probe
    from training.figures import rate

    refusals = probe.refusals(classifier, judged)
    told = {
        **{name: rate(value) for name, value in probe.drawn_castings(classifier).items()},
        "heat within the rim, real defects": f"{probe.heat_on_part(classifier, judged):.1%}",
        "accuracy of a plain classifier that sees only the bench, leak-free": f"{probe.bench_alone(judged):.1%}",
    }
    for name, value in [*((f"refused: {name}", rate(value)) for name, value in refusals.items()), *told.items()]:
        typer.echo(f"{name}: {value}")
    return {"refusals": refusals, "probes": told}


@contextmanager
def _ray() -> Iterator[None]:
    """The cluster of RAY_ADDRESS, or one of our own on this machine that ends with the command."""
    import logging

    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    import ray

    ray.init(
        os.environ.get("RAY_ADDRESS", "local"),
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
