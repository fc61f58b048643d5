"""Offline scoring: a plan of parts, judged by pools of Ray Data actors, each writing whole parts; then the summary."""

import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from inspection.bundle import read_card
from inspection.errors import BadRequest, Unavailable
from inspection.preprocessing import PREPROCESSING
from scoring.actors import UNREAD, PartDecode, PartInfer, PartJudge
from scoring.members import recognise
from scoring.plan import RESULTS, Part, Plan, apart, ended, held, make, unchanged
from scoring.results import SCHEMA, Counts, gathered

TASK = 4  # parts a task: what Ray spends on each task weighs less, and the last ones still end together


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a scoring is: members ``done`` of ``listed`` (None: unknown), ``before`` of them by an earlier run, and
    what this run saw: failed ones, defects, seconds."""

    done: int
    listed: int | None
    before: int
    failed: int
    defects: int
    seconds: float
    nodes: int


def score(
    sources: Sequence[str],
    out: Path,
    bundle: Path,
    *,
    workers: int | None = None,
    force: bool = False,
    progress: Callable[[Progress], None] | None = None,
    gpu: Callable[[Path], Any] | None = None,
) -> Any:
    """Judge every member of ``sources`` with ``bundle`` into ``out``; returns the results as a Ray Dataset.

    Ray must be initialised. ``workers`` is the number of actors, by default one a core of the cluster. ``gpu`` loads a
    bundle's engine on a GPU (as :func:`inspection.classifier.compiled` does on the CPU): then one pool decodes and one
    judges, and whichever is slower gets more actors, at most ``workers`` and the cluster's GPUs.

    Raises:
        BadRequest: ``no_source``, ``bad_archive``, ``bad_out`` or ``no_gpu``.
        Unavailable: ``model_unavailable``, the bundle is missing or made for another preprocessing;
            ``source_unreachable``, the same call goes on.
        Conflict: ``other_run``, ``busy`` or ``source_changed``, see :mod:`scoring.plan`.
    """
    import ray

    if gpu and not ray.cluster_resources().get("GPU"):
        raise BadRequest("no_gpu", "The cluster has no GPU.")
    found = [recognise(place) for place in sources]
    apart(out, found)
    card = read_card(bundle)
    if card.preprocessing != PREPROCESSING:  # said here, in one line, and not by every actor
        raise Unavailable("model_unavailable", f"{bundle} needs {card.preprocessing}, this is {PREPROCESSING}.")
    model = card.digest + (" gpu" if gpu else "")  # a GPU rounds otherwise: never half and half
    with held(out):
        run(make(found, out, bundle, model, force), workers, progress, gpu)
    parts = sorted(str(path) for path in (out / RESULTS).glob("*.parquet"))
    return ray.data.read_parquet(parts) if parts else ray.data.from_arrow(SCHEMA.empty_table())


def quiet_ray() -> None:
    """Join the cluster of RAY_ADDRESS, or start one of our own, without Ray's own progress bars and logs."""
    import logging

    import ray

    os.environ.setdefault("RAY_DATA_DISABLE_PROGRESS_BARS", "1")
    # Never None: Ray would wait minutes for the cluster last started on this machine, though it is long gone.
    address = os.environ.get("RAY_ADDRESS", "local")
    ray.init(address, include_dashboard=False, log_to_driver=False, logging_level=logging.ERROR)
    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = False
    logging.getLogger("ray.data").setLevel(logging.ERROR)


def run(
    plan: Plan,
    workers: int | None,
    progress: Callable[[Progress], None] | None,
    gpu: Callable[[Path], Any] | None = None,
) -> Counts:
    """Judge what is still open, then write CSV and summary."""
    import ray

    open_parts = plan.open_parts()
    started = time.monotonic()
    if open_parts:
        cores = workers or max(1, int(ray.cluster_resources().get("CPU", 1)))
        done = _pools(plan, open_parts, cores, gpu) if gpu else _pool(plan, open_parts, cores)
        _follow(done, plan, open_parts, started, progress)
        unchanged(plan)
        for part in open_parts:
            if part.source.kind == "stream":
                ended(plan.out, part.name).touch()
    return gathered(plan.out / RESULTS, plan.out)


def _pool(plan: Plan, parts: Sequence[Part], cores: int) -> Any:
    """Each actor decodes and judges."""
    import ray

    actors = min(cores, len(parts))
    threads = min(cores // actors, os.cpu_count() or 1)  # one stream alone: its actor has all cores
    return ray.data.from_items(parts, override_num_blocks=_blocks(parts, actors)).map_batches(
        PartJudge,
        fn_constructor_args=(str(plan.out), str(plan.bundle), threads),
        batch_size=1,
        compute=ray.data.ActorPoolStrategy(size=actors),
        num_cpus=threads,
    )


def _pools(plan: Plan, parts: Sequence[Part], cores: int, engine: Callable[[Path], Any]) -> Any:
    """Decoding on cores, judging on GPUs. Ray Data gives the pool whose input waits another actor."""
    import ray

    decoders, gpus = min(cores, len(parts)), int(ray.cluster_resources()["GPU"])
    decoded = ray.data.from_items(parts, override_num_blocks=_blocks(parts, decoders)).map_batches(
        PartDecode,
        fn_constructor_args=(str(plan.out),),
        batch_size=1,
        compute=ray.data.ActorPoolStrategy(min_size=1, max_size=decoders, initial_size=decoders),
        num_cpus=1,
    )
    return decoded.map_batches(
        PartInfer,
        fn_constructor_args=(str(plan.out), str(plan.bundle), engine),
        batch_size=1,
        compute=ray.data.ActorPoolStrategy(min_size=1, max_size=gpus),
        num_cpus=0,
        num_gpus=1,
    )


def _blocks(parts: Sequence[Part], actors: int) -> int:
    return min(len(parts), max(8 * actors, min(1000, len(parts) // TASK)))


def _follow(
    done: Any, plan: Plan, open_parts: Sequence[Part], started: float, progress: Callable[[Progress], None] | None
) -> None:
    """Run the pipeline to its end and tell how far it is, at most twice a second.

    Raises:
        Unavailable: ``source_unreachable``, a part was left open; others would only wait in their turn.
    """
    before = 0 if plan.listed is None else plan.listed - sum(len(part.members) for part in open_parts)
    members, failed, defects = before, 0, 0
    nodes: set[str] = set()
    told = 0.0
    for batch in done.iter_rows():
        if batch[UNREAD]:
            raise Unavailable("source_unreachable", f"{batch[UNREAD]}; the same command goes on.")
        members, failed, defects = members + batch["members"], failed + batch["failed"], defects + batch["defects"]
        nodes.add(batch["node"])
        if progress and time.monotonic() - told > 0.5:
            told = time.monotonic()
            progress(Progress(members, plan.listed, before, failed, defects, told - started, len(nodes)))
    if progress:
        progress(Progress(members, plan.listed, before, failed, defects, time.monotonic() - started, len(nodes)))
