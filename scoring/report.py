"""``report.html`` of a scoring: counts, score histogram, the most doubtful pictures. Judges nothing itself."""

import base64
import heapq
import html
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pyarrow.compute as pc

from inspection.errors import BadPicture, InspectorError
from inspection.picture import decode
from scoring.members import Reader, Unreadable, members, recognise
from scoring.places import shown
from scoring.plan import REPORT, RESULTS, write_whole
from scoring.results import BINS, LABELS, read_summary, tables

DOUBTFUL = 12
_HEAD = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Scoring</title><style>
body{font:15px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#222}
table{border-collapse:collapse;margin:1rem 0}td,th{padding:.25rem .8rem;border-bottom:1px solid #ddd;text-align:right}
td:first-child{text-align:left}figure{display:inline-block;margin:.4rem}
figcaption{font-size:12px;max-width:10rem;overflow-wrap:anywhere}svg{background:#f6f6f6}
</style>"""


def write_report(out: Path, version: str) -> None:
    """Write the page beside the results; its thumbnails are the user's own pictures."""
    summary = read_summary(out)
    parts = [
        _HEAD,
        f"<h1>{summary['members']:,} members judged by {html.escape(version)}</h1>",
        _table({**summary["verdicts"], "bad members": summary["failed"], **summary["errors"]}),
        *([_confusion(summary["confusion"])] if summary["confusion"] else []),
        "<h2>Scores</h2>",
        _histogram(summary["score_histogram"]),
        "<h2>Most doubtful</h2>",
        *_doubtful(out / RESULTS),
    ]
    write_whole(out, REPORT, "\n".join(parts))


def _table(counts: dict[str, int]) -> str:
    return (
        "<table>" + "".join(f"<tr><td>{html.escape(name)}<td>{count:,}" for name, count in counts.items()) + "</table>"
    )


def _confusion(confusion: dict[str, int]) -> str:
    """By the labels of the folders, with exact 95 % intervals of the errors."""
    rows = ["<h2>Against the folders' labels</h2><table><tr><th>folder<th>members<th>judged otherwise<th>95 %"]
    for label in LABELS:
        other = next(one for one in LABELS if one != label)
        right, wrong = confusion.get(f"{label} as {label}", 0), confusion.get(f"{label} as {other}", 0)
        low, high = interval(wrong, right + wrong)
        rows.append(f"<tr><td>{label}<td>{right + wrong:,}<td>{wrong:,}<td>{low:.2%} to {high:.2%}")
    return "".join(rows) + "</table>"


def interval(hits: int, of: int, z: float = 1.959964) -> tuple[float, float]:
    """Wilson's 95 % interval of a share. Wilson, "Probable inference", 1927."""
    if of == 0:
        return 0.0, 1.0
    share, spread = hits / of, z * z / of
    middle = share + spread / 2
    reach = z * ((share * (1 - share) + spread / 4) / of) ** 0.5
    return max(0.0, (middle - reach) / (1 + spread)), min(1.0, (middle + reach) / (1 + spread))


def _histogram(counts: list[int]) -> str:
    top = max([*counts, 1])
    bars = "".join(
        f'<rect x="{20 * one}" y="{100 - 100 * (count / top) ** 0.5:.1f}" width="18" '
        f'height="{100 * (count / top) ** 0.5:.1f}" fill="#2a7f9e"><title>{one / BINS:.2f}: {count:,}</title></rect>'
        for one, count in enumerate(counts)
    )
    return f'<svg viewBox="0 0 400 102" width="600" role="img" aria-label="p_defect, root scale">{bars}</svg>'


def _doubtful(results: Path) -> Iterator[str]:
    nearest = heapq.nsmallest(DOUBTFUL, _doubted(results), key=lambda one: abs(one["p_defect"] - 0.5))
    pictures = {
        name: _thumbnails(name, [row["path"] for row in nearest if row["source"] == name])
        for name in {row["source"] for row in nearest}
    }
    for row in nearest:
        caption = html.escape(f"{row['path']} {row['verdict']} {row['p_defect']:.3f}")
        source = pictures[row["source"]].get(row["path"])
        if source:
            yield f'<figure><img src="{source}" alt="{caption}"><figcaption>{caption}</figcaption></figure>'


def _doubted(results: Path) -> Iterator[dict[str, Any]]:
    """The most doubtful of each part."""
    for table in tables(results, ["source", "path", "verdict", "p_defect"]):
        judged = table.filter(pc.not_equal(table["verdict"], "rejected"))  # null, a bad member, is left out too
        nearest = np.argsort(np.abs(judged["p_defect"].to_numpy() - 0.5), kind="stable")[:DOUBTFUL]
        yield from judged.take(nearest).to_pylist()


def _thumbnails(name: str, paths: list[str]) -> dict[str, str]:
    """These members' pictures again, small, by path; without those that can't be read twice (a stream) or are gone."""
    found: dict[str, str] = {}
    with suppress(InspectorError, OSError):
        source = recognise(name)
        with closing(Reader(source)) as reader:
            for member in members(source) if source.kind != "stream" else ():
                path = shown(member.path)
                if path in paths and path not in found:
                    with suppress(Unreadable, BadPicture):
                        found[path] = _small(reader.read(member))
    return found


def _small(picture: bytes) -> str:
    small = cv2.resize(decode(picture).grey, (150, 150), interpolation=cv2.INTER_AREA)
    return f"data:image/jpeg;base64,{base64.b64encode(cv2.imencode('.jpg', small)[1].tobytes()).decode()}"
