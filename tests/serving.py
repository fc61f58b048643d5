"""The real application in this process, for tests: real ledger, relay and classifier under uvicorn, no Ray."""

import asyncio
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import uvicorn

from app.main import create_app
from app.ports import Judge, Limits, Services
from inspection.batch import Batch, judge_batch
from inspection.bundle import champion
from inspection.classifier import Classifier
from inspection.errors import BadPicture
from inspection.preparing import prepare_bytes, prepared_or_why_not
from ledger import Ledger
from streaming.relay import EmbeddedRelay

ROOT = Path(__file__).parents[1]
LIMITS = Limits(
    max_files=100,
    max_body_bytes=64 * 1024 * 1024,
    max_held_bytes=512 * 1024 * 1024,
    max_waiting=512,
    max_batch=16,
    max_batches=2,
    eager_batches=1,
    deadline_seconds=30.0,
    audit_sample=0.02,
)


class LocalJudge:
    """The champion in this process."""

    def __init__(self) -> None:
        self._classifier = Classifier.load(champion(ROOT / "models"))

    async def judge(self, pictures: Sequence[bytes]) -> Batch[BadPicture]:
        return await asyncio.to_thread(self._judge, pictures)

    async def heatmap(self, picture: bytes) -> npt.NDArray[np.float32]:
        return await asyncio.to_thread(self._classifier.heatmap, prepare_bytes(picture).sample)

    async def model_version(self) -> str:
        return self._classifier.version

    def _judge(self, pictures: Sequence[bytes]) -> Batch[BadPicture]:
        return judge_batch(self._classifier, [prepared_or_why_not(picture) for picture in pictures])


@dataclass(frozen=True)
class Running:
    """A running application and its ledger."""

    address: str
    ledger: Ledger


@contextmanager
def running(folder: Path, judge: Judge, limits: Limits = LIMITS, open_access: bool = True) -> Iterator[Running]:
    """Serve over a new ledger in ``folder`` on a free port of the loopback address."""
    ledger = Ledger.open(f"sqlite:///{folder / 'ledger.sqlite'}")
    recorder = ledger.recorder(second_look=0.1)
    relay = EmbeddedRelay(ledger.outbox)
    carrying = threading.Thread(target=relay.run)
    carrying.start()
    services = Services(
        judge=judge,
        recorder=recorder,
        records=ledger.records,
        outgoing=ledger.outbox,
        keys=ledger.keys,
        limits=limits,
        open_access=open_access,
        reports=folder / "reports",
    )
    config = uvicorn.Config(
        create_app(services), host="127.0.0.1", port=0, log_level="critical", timeout_graceful_shutdown=1
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    try:
        yield Running(f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}", ledger)
    finally:
        server.should_exit = True
        thread.join()
        relay.stop()
        carrying.join()
        recorder.close()
        ledger.close()
