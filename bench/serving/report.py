"""Measurements to a table: medians over the rounds, and the ratios that the goals name."""

import json
import statistics
from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

OURS = "this service"
Line = Mapping[str, Any]
Medians = dict[tuple[str, int, int], dict[str, float]]


def one(line: Line) -> str:
    """A measurement in a line, while the bench is running."""
    shape = f"{line['clients']} clients, {line['each']} a call"
    times = f"p50 {line['p50']:.1f} ms, p99 {line['p99']:.1f} ms, CPU {line['cpu_ms']:.2f} ms a picture"
    return f"{line['contender']:34} {shape:26} {line['rate']:7.0f} pictures/s, {times}, {line['pss_mib']:.0f} MiB"


def table(results: Path) -> str:
    """Markdown: every contender and shape, then the ratios."""
    lines = [json.loads(text) for text in results.read_text().splitlines()]
    medians = _medians(line for line in lines if "contender" in line)
    limits = _limits(line for line in lines if "loops" in line)
    fsync = statistics.median([line["fsync_ms"] for line in lines if "fsync_ms" in line] or [0.0])
    return "\n".join((*_contenders(medians), "", *_bare(limits, fsync), "", *_ratios(medians, limits, fsync)))


def _medians(lines: Iterable[Line]) -> Medians:
    found: dict[tuple[str, int, int], list[Line]] = defaultdict(list)
    for line in lines:
        found[line["contender"], line["clients"], line["each"]].append(line)
    numbers = ("rate", "p50", "p99", "cpu_ms", "pss_mib")
    return {
        key: {
            **{name: statistics.median(line[name] for line in some) for name in numbers},
            "errors": sum(line["refused"] + line["broken"] for line in some),
            "rounds": len(some),
        }
        for key, some in found.items()
    }


def _limits(lines: Iterable[Line]) -> dict[tuple[int, int, int], tuple[float, float]]:
    found: dict[tuple[int, int, int], list[Line]] = defaultdict(list)
    for line in lines:
        found[line["loops"], line["threads"], line["batch"]].append(line)
    return {
        key: (statistics.median(line["rate"] for line in some), statistics.median(line["cpu_ms"] for line in some))
        for key, some in found.items()
    }


def _contenders(medians: Medians) -> list[str]:
    head = "| contender | clients | a call | pictures/s | p50 ms | p99 ms | errors | CPU ms a picture | MiB | rounds |"
    rows = [head, "|---|" + "---:|" * 9]
    for (name, clients, each), m in medians.items():
        speed = f"{m['rate']:.0f} | {m['p50']:.1f} | {m['p99']:.1f} | {m['errors']:.0f}"
        rows.append(
            f"| {name} | {clients} | {each} | {speed} | {m['cpu_ms']:.2f} | {m['pss_mib']:.0f} | {m['rounds']:.0f} |"
        )
    return rows


def _bare(limits: dict[tuple[int, int, int], tuple[float, float]], fsync: float) -> list[str]:
    rows = ["| bare limit: processes, engine threads each, batch | pictures/s | CPU ms a picture |", "|---|---:|---:|"]
    rows += [f"| {a}, {b}, {c} | {rate:.0f} | {cpu:.2f} |" for (a, b, c), (rate, cpu) in limits.items()]
    return [*rows, "", f"One fsync: {fsync:.2f} ms."]


def _ratios(medians: Medians, limits: dict[tuple[int, int, int], tuple[float, float]], fsync: float) -> list[str]:
    """What the goals ask for; a line only where both sides were measured."""
    if (OURS, 32, 1) not in medians:
        return []

    def best(clients: int, each: int, plain: bool) -> tuple[str, dict[str, float]]:
        some = {
            name: m
            for (name, c, e), m in medians.items()
            if (c, e) == (clients, each) and not name.startswith(OURS) and (not plain or _plain(name))
        }
        return max(some.items(), key=lambda item: item[1]["rate"])

    ours, many, alone = medians[OURS, 32, 1], medians[OURS, 8, 16], medians[OURS, 1, 1]
    rows = [f"- p99 / p50 at 32 clients: {ours['p99'] / ours['p50']:.2f}"]
    if any(_plain(name) for name, _, _ in medians):
        name, plain = best(32, 1, plain=True)
        rows.append(f"- 32 clients: {ours['rate'] / plain['rate']:.2f} of plain FastAPI ({name})")
        name, plain = best(1, 1, plain=True)
        rows.append(f"- 1 client: p50 {alone['p50'] - plain['p50']:+.2f} ms to {name}; one fsync is {fsync:.2f} ms")
        name, peer = best(32, 1, plain=False)
        rows.append(f"- 32 clients: {ours['rate'] / peer['rate']:.2f} of the best peer ({name})")
        name, peer = best(8, 16, plain=False)
        rows.append(f"- 16 a call, 8 clients: {many['rate'] / peer['rate']:.2f} of the best peer ({name})")
    if limits:
        rate, _ = max(limits.values())
        cpu = min(cpu for _, cpu in limits.values())
        rows.append(f"- of the bare limit: 32 clients {ours['rate'] / rate:.2f}, 16 a call {many['rate'] / rate:.2f}")
        rows.append(f"- CPU beyond decode and inference: {ours['cpu_ms'] - cpu:.2f} ms a single picture")
    return rows


def _plain(name: str) -> bool:
    return name in ("FastAPI, def", "FastAPI, async def")
