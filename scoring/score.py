"""Offline scoring: a plan of parts, judged by a pool of Ray Data actors, each writing whole parts; then the summary."""

import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, count, islice
from pathlib import Path
from typing import Any

import cv2

from inspection.bundle import read_card
from scoring.judging import Content, Judge, Row
from scoring.members import Reader, Source, Unreadable, recognise, streamed
from scoring.plan import RESULTS, STREAM_PART, Part, Plan, apart, ended, held, make, path_of, unchanged, unfinished
from scoring.results import Counts, gathered, write_part

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


def score(
    sources: Sequence[str],
    out: Path,
    bundle: Path,
    *,
    workers: int | None = None,
    force: bool = False,
    progress: Callable[[Progress], None] | None = None,
) -> Any:
    """Judge every member of ``sources`` with ``bundle`` into ``out``; returns the results as a Ray Dataset.

    Ray must be initialised. ``workers`` is the number of actors, by default one a core of the cluster.

    Raises:
        BadRequest: ``no_source``, ``bad_archive`` or ``bad_out``.
        Conflict: ``other_run``, ``busy`` or ``source_changed``, see :mod:`scoring.plan`.
    """
    import ray

    found = [recognise(place) for place in sources]
    apart(out, found)
    with held(out):
        run(make(found, out, bundle, read_card(bundle).digest, force), workers, progress)
    return ray.data.read_parquet([str(path) for path in sorted((out / RESULTS).glob("*.parquet"))])


def quiet_ray() -> None:
    """Join the cluster of RAY_ADDRESS, or start one of our own, without Ray's own progress bars and logs."""
    import logging
    import os

    import ray

    os.environ.setdefault("RAY_DATA_DISABLE_PROGRESS_BARS", "1")
    # As the address is None where there is no cluster, local use starts one that ends with the command.
    ray.init(os.environ.get("RAY_ADDRESS"), include_dashboard=False, log_to_driver=False, logging_level=logging.ERROR)
    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = False
    logging.getLogger("ray.data").setLevel(logging.ERROR)


def run(plan: Plan, workers: int | None, progress: Callable[[Progress], None] | None) -> Counts:
    """Judge what is still open, then write CSV and summary."""
    import ray

    open_parts = plan.open_parts()
    started = time.monotonic()
    if open_parts:
        pool = workers or max(1, int(ray.cluster_resources().get("CPU", 1)))
        actors = min(pool, len(open_parts))
        threads = min(pool // actors, os.cpu_count() or 1)  # one stream alone: its actor has all cores
        blocks = min(len(open_parts), max(8 * actors, min(1000, len(open_parts) // TASK)))
        done = ray.data.from_items(open_parts, override_num_blocks=blocks).map_batches(
            _PartJudge,
            fn_constructor_args=(str(plan.out), str(plan.bundle), threads),
            batch_size=1,
            compute=ray.data.ActorPoolStrategy(size=actors),
            num_cpus=threads,
        )
        _follow(done, plan, open_parts, started, progress)
        unchanged(plan)
    return gathered(plan.out / RESULTS, plan.out)


def _follow(
    done: Any, plan: Plan, open_parts: Sequence[Part], started: float, progress: Callable[[Progress], None] | None
) -> None:
    """Run the pipeline to its end and tell how far it is, at most twice a second."""
    before = 0 if plan.listed is None else plan.listed - sum(len(part.members) for part in open_parts)
    members, failed, defects = before, 0, 0
    told = 0.0
    for batch in done.iter_rows():
        members, failed, defects = members + batch["members"], failed + batch["failed"], defects + batch["defects"]
        if progress and time.monotonic() - told > 0.5:
            told = time.monotonic()
            progress(Progress(members, plan.listed, before, failed, defects, told - started))
    if progress:
        progress(Progress(members, plan.listed, before, failed, defects, time.monotonic() - started))


class _PartJudge:
    """An actor: judges parts and writes them; holds one open reader."""

    def __init__(self, out: str, bundle: str, threads: int) -> None:
        cv2.setNumThreads(threads)  # else each actor's would use all cores
        self._out, self._digest = Path(out), read_card(Path(bundle)).digest
        self._judge = Judge(Path(bundle), threads)
        self._reader: tuple[Source, Reader] | None = None
        self._lock = threading.Lock()

    def __call__(self, batch: dict[str, Any]) -> dict[str, list[int]]:
        with self._lock:
            counts = [self._one(part) for part in batch["item"]]
        return {name: [count[name] for count in counts] for name in ("members", "failed", "defects")}

    def _one(self, part: Part) -> dict[str, int]:
        if part.source.kind == "stream":
            return self._stream(part)
        rows = list(self._judge.rows(part.source.place, self._contents(part)))
        return self._kept(part.name, rows)

    def _contents(self, part: Part) -> Iterator[Content]:
        reader = self._reader_of(part.source)
        for member in part.members:
            try:
                yield member, reader.read(member)
            except Unreadable as error:
                yield member, error

    def _reader_of(self, source: Source) -> Reader:
        if self._reader is None or self._reader[0] != source:
            if self._reader is not None:
                self._reader[1].close()
            self._reader = (source, Reader(source))
        return self._reader[1]

    def _stream(self, part: Part) -> dict[str, int]:
        """Read a compressed tar through; what an earlier run judged is passed over without being decoded."""
        total = {"members": 0, "failed": 0, "defects": 0}
        contents = streamed(part.source)
        for number in count():
            if (first := next(contents, None)) is None:
                break
            piece = chain([first], islice(contents, STREAM_PART - 1))
            for name, many in self._piece(part, number, piece).items():
                total[name] += many
        ended(self._out, part.name).touch()
        return total

    def _piece(self, part: Part, number: int, some: Iterator[Content]) -> dict[str, int]:
        name = f"{part.name}-{number:06d}"
        if path_of(self._out, name).exists():
            return {"members": sum(1 for _ in some), "failed": 0, "defects": 0}
        return self._kept(name, list(self._judge.rows(part.source.place, some)))

    def _kept(self, name: str, rows: list[Row]) -> dict[str, int]:
        write_part(path_of(self._out, name), unfinished(self._out, name), rows, self._digest)
        return _counted(rows)


def _counted(rows: Sequence[Row]) -> dict[str, int]:
    return {
        "members": len(rows),
        "failed": sum(row.error is not None for row in rows),
        "defects": sum(row.verdict == "defect" for row in rows),
    }
