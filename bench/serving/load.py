"""The load: multipart bodies of many different drawn pictures, sent by wrk. Knows no server."""

import json
import os
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from drawing.castings import KINDS, draw

BOUNDARY = "----casting-inspector-bench"
CONTENT_TYPE = f"multipart/form-data; boundary={BOUNDARY}"
DIFFERENT = 60
SCRIPT = Path(__file__).with_name("bodies.lua")


@dataclass(frozen=True, slots=True)
class Load:
    """Bodies of ``pictures`` each, ``count`` of them, as files 0, 1, 2 … in ``folder``."""

    folder: Path
    count: int
    pictures: int


@dataclass(frozen=True, slots=True)
class Sent:
    """What wrk saw: pictures a second, milliseconds, calls refused with a status, calls that broke."""

    rate: float
    p50: float
    p99: float
    refused: int
    broken: int
    pictures: int


def drawn(defect_every: int = 20) -> list[bytes]:
    """JPEG as cameras send it; one in ``defect_every`` shows a defect."""
    return [draw(seed, "ok" if seed % defect_every else KINDS[1 + seed % 4]).jpeg() for seed in range(DIFFERENT)]


def write(folder: Path, pictures: Sequence[bytes], each: int) -> Load:
    folder.mkdir(parents=True)
    for at in range(len(pictures)):
        chosen = [pictures[(at * 7 + i) % len(pictures)] for i in range(each)]
        (folder / str(at)).write_bytes(multipart(chosen))
    return Load(folder, len(pictures), each)


def multipart(pictures: Sequence[bytes]) -> bytes:
    parts = [
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="casting_{at}.jpeg"\r\n'
        "Content-Type: image/jpeg\r\n\r\n".encode()
        + picture
        + b"\r\n"
        for at, picture in enumerate(pictures)
    ]
    return b"".join(parts) + f"--{BOUNDARY}--\r\n".encode()


def send(load: Load, port: int, clients: int, seconds: float, patient: bool = False) -> Sent:
    """``clients`` connections, each with one call in flight; ``patient`` ones wait as long as a 503 asks for."""
    environment = {**os.environ, "BODIES": str(load.folder), "COUNT": str(load.count), "BOUNDARY": BOUNDARY}
    if patient:
        environment["PATIENT"] = "1"
    command = ["wrk", "-t1", f"-c{clients}", f"-d{seconds:g}s", "--timeout", "30s", "-s", str(SCRIPT)]
    done = subprocess.run(
        [*command, f"http://127.0.0.1:{port}/predict"], env=environment, capture_output=True, text=True, check=True
    )
    seen = json.loads(done.stdout.strip().splitlines()[-1])
    pictures = (seen["calls"] - seen["refused"]) * load.pictures
    rate = pictures / seen["microseconds"] * 1e6
    return Sent(rate, seen["p50"] / 1000, seen["p99"] / 1000, seen["refused"], seen["broken"], pictures)
