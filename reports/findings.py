"""Is anything wrong, where, since when: the first screen, out of the finished figures. Words are the page's."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from inspection.reconciliation import SILENT
from reports.numbers import say

RED, AMBER = "red", "amber"
#: A share of missed defects whose interval lies wholly above this is a finding.
MISSES = 0.05
#: So many of each are named at the top; the sections below name more.
JOURNALS, PLACES = 3, 5
_BROKEN = {"name": "broken_name", "start": "broken_start", "source": "broken_source"}


def findings(report: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Worst first; each has a ``level``, a ``what`` (a key of the page's words), its ``values`` and a place ``see``."""
    found = _reconciliation(report["reconciliation"], datetime.fromisoformat(report["made_at"]))
    found += _charts(report["quality"]["charts"])
    found += [*_lots(report["quality"]["lots"]), *_truth(report["truth"])]
    found += _drift(report["drift"], AMBER if report["baseline"]["provisional"] else RED)
    if report["quality"]["total"]["other"]:
        found.append(_say(AMBER, "unknown", "quality", n=report["quality"]["total"]["other"]))
    return sorted(found, key=lambda finding: finding["level"] != RED)


def _say(level: str, what: str, see: str, **values: Any) -> dict[str, Any]:
    return {"level": level, "what": what, "see": see, "values": values}


def _reconciliation(r: Mapping[str, Any], now: datetime) -> list[dict[str, Any]]:
    found = []
    for name in ("missing", "doubled"):
        if r[name]:
            numbers = name if name == "missing" else "doubled_numbers"
            troubled = [t for t in r["troubled"] if t[name]]
            where = "; ".join(f"{t['journal']} {say(t[numbers])}" for t in troubled[:JOURNALS])
            where += f"; … ({len(troubled)})" if len(troubled) > JOURNALS else ""
            found.append(_say(RED, name, "reconciliation", n=r[name], where=where, day=_first(r, name)))
    found += [_say(RED, _BROKEN[b.pop("what")], "reconciliation", **b) for b in map(dict, r["breaks"][:3])]
    found += [_late(late) for late in r["late"][:3]]
    if r["open_letters"]:
        found.append(_say(AMBER, "dead", "reconciliation", n=r["open_letters"], day=_first(r, "open")))
    if r["misdated"]:
        found.append(_say(AMBER, "misdated", "reconciliation", n=r["misdated"]))
    newest = r["newest_statement"]
    if newest is None and r["stored"]:
        found.append(_say(AMBER, "unproven", "reconciliation"))
    elif newest is not None and now - datetime.fromisoformat(newest) > SILENT:
        found.append(_say(AMBER, "quiet", "reconciliation", at=_utc(newest)))
    return found


def _late(late: Mapping[str, Any]) -> dict[str, Any]:
    at = _utc(late["since"])
    if late["what"] == "numbers":
        return _say(RED, "late", "reconciliation", journal=late["where"], where=say(late["numbers"]), at=at)
    what = "behind" if at else "unheard"
    return _say(RED, what, "reconciliation", where=late["where"], **({"at": at} if at else {}))


def _first(r: Mapping[str, Any], name: str) -> str:
    """Days of the lake are UTC, whatever the page's time zone."""
    days = [day["date"] for day in r["by_day"] if day[name]]
    return f"{days[0]} UTC" if days else "?"


def _utc(when: str | None) -> str | None:
    return f"{datetime.fromisoformat(when).astimezone(UTC):%Y-%m-%d %H:%M} UTC" if when else None


def _charts(charts: list[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """What a provisional baseline shows is worth a look, not an alarm; and it holds a rise itself, beside which all
    that was before looks like a fall.
    """
    found = []
    for chart in charts:
        if chart["alarm_since"] is not None and _sure(chart, chart["direction"]):
            level = RED if chart["alarm"] and not chart["provisional"] else AMBER
            values = {"mean": mean(chart["baseline"]), "share": chart["share_since"], "since": chart["alarm_since"]}
            found.append(_say(level, f"shift_{chart['direction']}", "charts", line=chart["line"], **values))
    over = [(chart, episode) for chart in charts for episode in chart["episodes"]]
    episodes = [(chart, episode) for chart, episode in over if _sure(chart, episode["direction"])]
    for chart, episode in sorted(episodes, key=lambda pair: str(pair[1]["to"]), reverse=True)[:PLACES]:
        values = {"mean": mean(chart["baseline"]), "share": episode["share"]}
        values |= {"since": episode["from"], "until": episode["to"]}
        what = "point" if episode["from"] == episode["to"] else f"episode_{episode['direction']}"
        found.append(_say(AMBER, what, "charts", line=chart["line"], **values))
    return found


def _sure(chart: Mapping[str, Any], direction: str) -> bool:
    return direction == "up" or not chart["provisional"]


def mean(baseline: Mapping[str, Any]) -> float | str:
    """The baseline's share; where it was 0 or 1 the counts, because the chart's centre was then not measured."""
    return f"{baseline['defects']:,} / {baseline['parts']:,}" if baseline["unseen"] else float(baseline["mean"])


def _lots(lots: Mapping[str, Any]) -> list[dict[str, Any]]:
    by_name = {row["lot"]: row for row in lots["lots"]}
    found = []
    for lot in lots["alarms"][:PLACES]:
        seen, row = lots["seen"][lot], by_name[lot]
        lines = ", ".join(seen["lines"][:PLACES]) + (" …" if len(seen["lines"]) > PLACES else "")
        values = {"share": row["share"], "target": lots["target"], "n": row["parts"]}
        found.append(_say(RED, "lot", "lots", lot=lot, **values, line=lines, since=seen["since"]))
    if len(lots["alarms"]) > PLACES:
        found.append(_say(RED, "more_lots", "lots", n=len(lots["alarms"]) - PLACES))
    return found


def _truth(truth: Mapping[str, Any]) -> list[dict[str, Any]]:
    found = []
    for model in truth["by_model"]:
        low = model["miss"]["low"]
        if low == low and low is not None and low > MISSES:
            found.append(_say(RED, "misses", "truth", model=model["model_version"], **model["miss"]))
    if not truth["audited"]:
        found.append(_say(AMBER, "unaudited", "truth"))
    return found


def _drift(drifts: list[Mapping[str, Any]], level: str) -> list[dict[str, Any]]:
    """Where some cameras drifted and others not, those; else all together."""
    found = []
    for d in drifts:
        if d["cameras"] and len(d["cameras"]) < d["cameras_seen"]:
            found += [
                _say(
                    level,
                    "drift_camera",
                    "drift",
                    measure=d["measure"],
                    since=c["began"],
                    **{k: c[k] for k in ("camera", "psi")},
                )
                for c in d["cameras"][:PLACES]
            ]
        elif d["began"] is not None:
            found.append(
                _say(level, "drift", "drift", measure=d["measure"], since=d["began"], psi=d["points"][-1]["psi"])
            )
    return found
