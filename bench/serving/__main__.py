"""This service beside its peers.

    python -m bench.serving [--rounds N] [--seconds S] [--only PART OF A NAME …] [--results FILE]     (or: make bench)

Each round starts every contender in turn on an idle machine, warms it up and loads it with 1, 8, 32 and 128 clients
that send single pictures and with 8 that send 16 a call; then the bare limit runs. Nothing else is running meanwhile.
Each measurement is a JSON line in FILE, so that rounds may be added later; the table is made of all that it holds.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path

from bench.serving import report
from bench.serving.contenders import CONTENDERS, ROOT, Contender, install, running
from bench.serving.load import CONTENT_TYPE, Load, drawn, send, write
from bench.used import used

SHAPES = ((1, 1), (8, 1), (32, 1), (128, 1), (8, 16))  # clients, pictures a call
WARM = 3.0  # seconds at 32 clients


def measure(contender: Contender, loads: dict[int, Load], seconds: float) -> list[dict[str, object]]:
    """One start of one contender, all shapes."""
    sample = ((loads[1].folder / "0").read_bytes(), CONTENT_TYPE)
    lines: list[dict[str, object]] = []
    with running(contender, sample) as server:
        send(loads[1], server.port, 32, WARM)
        for clients, each in SHAPES:
            before = used(server.root)
            sent = send(loads[each], server.port, clients, seconds)
            after = used(server.root)
            cpu = 1000 * (after.cpu - before.cpu) / max(1, sent.pictures)
            shape = {"contender": contender.name, "clients": clients, "each": each}
            lines.append({**shape, **asdict(sent), "cpu_ms": cpu, "pss_mib": after.pss_mib})
    return lines


def main() -> None:
    arguments = _arguments()
    chosen = [one for one in CONTENDERS if not arguments.only or one.name in arguments.only]
    for venv in {one.venv for one in chosen if one.venv}:
        install(venv)
    pictures = drawn()
    arguments.results.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, arguments.results.open("a") as results:
        loads = {each: write(Path(folder) / str(each), pictures, each) for each in (1, 16)}
        for _ in range(arguments.rounds):
            for contender in chosen:
                for line in measure(contender, loads, arguments.seconds):
                    print(json.dumps(line), file=results, flush=True)
                    print(report.one(line), flush=True)
            for text in _limit(arguments.seconds):
                print(text, file=results, flush=True)
    print(report.table(arguments.results))


def _limit(seconds: float) -> list[str]:
    command = [sys.executable, "-m", "bench.serving.limit", str(seconds)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.serving")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--only", nargs="*", default=[], choices=[one.name for one in CONTENDERS])
    parser.add_argument("--results", type=Path, default=ROOT / "var" / "bench" / "serving.jsonl")
    return parser.parse_args()


if __name__ == "__main__":
    main()
