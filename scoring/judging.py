"""Members to rows: the same decode, preparation, engine and rules as online, one batch of members at a time."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from inspection.batch import Judged, judge_batch
from inspection.classifier import Classifier
from inspection.errors import BadPicture
from inspection.preparing import Prepared, prepare_bytes
from scoring.members import Member, Unreadable
from scoring.places import shown

Content = tuple[Member, bytes | Unreadable]
BATCH = 8  # as many as the engine takes best at once
BYTES = 64 * 1024 * 1024  # after so many a batch is full too: large pictures don't pile up


@dataclass(frozen=True, slots=True)
class Row:
    """One member's result: a judgement, or an ``error`` code and nothing else."""

    source: str
    path: str
    prediction: str | None = None
    verdict: str | None = None
    p_defect: float | None = None
    reasons: tuple[str, ...] = ()
    error: str | None = None
    image_sha256: str | None = None
    image_width: int | None = None
    image_height: int | None = None
    brightness: float | None = None
    sharpness: float | None = None
    model_version: str | None = None


class Judge:
    """A classifier for members; one thread uses it, ``threads`` decode and infer."""

    def __init__(self, bundle: Path, threads: int = 1) -> None:
        self._classifier = Classifier.load(bundle, threads)
        self._map = ThreadPoolExecutor(threads).map if threads > 1 else map

    def rows(self, source: str, contents: Iterator[Content]) -> Iterator[Row]:
        """A row for every member, in order."""
        for some in batches(contents, BATCH):
            ready = list(self._map(prepared, [content for _, content in some]))
            yield from judged(self._classifier, source, [member for member, _ in some], ready)


def batches(contents: Iterator[Content], most: int) -> Iterator[list[Content]]:
    """Members in order, as many at once as ``most`` and BYTES allow."""
    some: list[Content] = []
    size = 0
    for member, content in contents:
        some.append((member, content))
        size += 0 if isinstance(content, Unreadable) else len(content)
        if len(some) >= most or size >= BYTES:
            yield some
            some, size = [], 0
    if some:
        yield some


def prepared(content: bytes | Unreadable) -> Prepared | str:
    """What the network sees of a member, or the error code why there is nothing."""
    if isinstance(content, Unreadable):
        return str(content)
    try:
        return prepare_bytes(content)
    except BadPicture as error:
        return error.code


def judged(
    classifier: Classifier, source: str, some: Sequence[Member], ready: Sequence[Prepared | str]
) -> Iterator[Row]:
    """A row for every member, in order, by one forward pass."""
    for member, one in zip(some, judge_batch(classifier, ready).results, strict=True):
        if isinstance(one, str):
            yield Row(shown(source), shown(member.path), error=one)
        else:
            yield _row(source, member.path, one)


def _row(source: str, path: str, judged: Judged) -> Row:
    judgement = judged.judgement
    return Row(
        shown(source),
        shown(path),
        judgement.prediction,
        judgement.verdict,
        round(judgement.p_defect, 6),  # to as many digits as online
        judgement.reasons,
        None,
        judged.sha256,
        judged.width,
        judged.height,
        round(judged.brightness, 3),
        round(judged.sharpness, 3),
        judgement.model_version,
    )
