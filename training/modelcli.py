"""``casting models``: list, promote, rollback and the model's page; options and printed lines only."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from training.promote import Comparison

Models = Annotated[Path | None, typer.Option(help="Folder of bundles; default: CASTING_MODELS or ./models.")]


def add(app: typer.Typer) -> None:
    """Register the group."""
    group = typer.Typer(no_args_is_help=True, help="List, promote and roll back models.")
    group.command("list")(_list)
    group.command("promote")(_promote)
    group.command("rollback")(_rollback)
    group.command("card")(_card)
    group.command("folds")(_folds)
    group.command("seeds")(_seeds)
    app.add_typer(group, name="models")


def _list(models: Models = None) -> None:
    """All bundles; the champion is marked."""
    from inspection.bundle import CARD
    from training.promote import read_aliases

    where = _where(models)
    champion = read_aliases(where).get("champion")
    for card in sorted(where.glob(f"*/{CARD}")):
        told = json.loads(card.read_text())
        figures = told.get("figures", {}).get("validation", {})
        mark = "*" if told["version"] == champion else " "
        errors = f"{figures['missed']} missed, {figures['false_alarms']} false alarms" if figures else "no figures"
        typer.echo(f"{mark} {told['version']:<16} {told['preprocessing']['id']:<14} validation: {errors}")


def _promote(
    version: str,
    data: Annotated[Path | None, typer.Option(help="Labelled pictures on which both models are compared.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Promote even a worse one.")] = False,
    models: Models = None,
) -> None:
    """Make VERSION the champion, unless it is worse on the same pictures: misses, false alarms, escapes, undecided."""
    from inspection.errors import BadRequest
    from training import promote

    where = _where(models)
    version = promote.named(where, version)
    champion = promote.read_aliases(where).get("champion", version)
    comparison = None
    if champion != version:
        if data is None and not force:
            raise BadRequest("no_data", "--data names the labelled pictures on which both models are compared.")
        if data is not None:
            comparison = _compared(data, where / version, where / champion)
    promote.promote(where, version, comparison, force)
    typer.echo(f"{version} is the champion.")


def _compared(data: Path, challenger: Path, champion: Path) -> "Comparison":
    """On pictures that neither was trained on, as they are and altered; a miss costs what the champion's card says."""
    import numpy as np

    from inspection.bundle import CARD
    from inspection.classifier import Classifier
    from training import alter, choosing, evaluate
    from training.promote import compare
    from training.thresholds import Policy

    judged = choosing.common(data, challenger, champion)
    bounds = [len(choosing.held(bundle) & set(judged.sha256)) for bundle in (challenger, champion)]
    typer.echo(
        f"{len(judged.members)} pictures that neither was trained on, {judged.left_out} left out; "
        f"{bounds[0]} set the challenger's bounds, {bounds[1]} the champion's. Each is judged as it is and altered."
    )
    answers = []
    for bundle in (challenger, champion):
        classifier = Classifier.load(bundle)
        clean, other = (evaluate.judge_all(classifier, judged.greys, change) for change in (None, alter.pair))
        answers.append(evaluate.Answers(clean.judgements + other.judgements))
    policy = Policy(**json.loads((champion / CARD).read_text())["policy"])
    found = compare(np.tile(judged.defect, 2), answers[0], answers[1], policy.miss_cost)
    for name in ("misses", "false_alarms", "escapes", "undecided"):
        typer.echo(f"{name.replace('_', ' ')}: {getattr(found, name).line()}")
    return found


def _rollback(models: Models = None) -> None:
    """Make the champion before the present one champion again."""
    from training.promote import rollback

    typer.echo(f"{rollback(_where(models))} is the champion again.")


def _card(
    out: Annotated[Path, typer.Option(help="The page to write.")] = Path("docs/model-card.md"),
    model: Annotated[Path | None, typer.Option(help="A bundle; default: the champion.")] = None,
) -> None:
    """Write the model's page from its card.json."""
    from inspection.bundle import CARD, champion
    from training.modelcard import page

    bundle = model or champion(_where(None))
    out.write_text(page(json.loads((bundle / CARD).read_text())))
    typer.echo(str(out))


def _folds(
    folder: Annotated[Path, typer.Argument(help="Results of casting train --fold K --result FOLDER/K.json.")],
    model: Annotated[Path | None, typer.Option(help="The bundle whose card gets the figure.")] = None,
) -> None:
    """Add up the folds and write them into the model's card."""
    from inspection.bundle import champion
    from training.card import amend
    from training.folds import together

    told = together(folder)
    amend(model or champion(_where(None)), {"figures": {"folds": told}})
    typer.echo(f"{told['pictures']} pictures, {told['missed']} missed, {told['false_alarms']} false alarms")


def _seeds(
    folder: Annotated[Path, typer.Argument(help="Results of casting train --seed N --result FOLDER/N.json.")],
    model: Annotated[Path | None, typer.Option(help="The bundle whose card gets the table.")] = None,
) -> None:
    """Write the runs of several seeds into the model's card, side by side."""
    from inspection.bundle import champion
    from training.card import amend
    from training.folds import seeds

    runs = seeds(folder)
    amend(model or champion(_where(None)), {"seeds": runs})
    for run in runs:
        typer.echo(f"seed {run['seed']}: {run['missed']} missed, {run['false_alarms']} false alarms")


def _where(models: Path | None) -> Path:
    from inspection.settings import Shared

    return models or Shared().models
