"""Is anything wrong, where, since when: the first screen, out of the finished figures. Words are the page's."""

from collections.abc import Mapping
from typing import Any

RED, AMBER = "red", "amber"
#: A share of missed defects whose interval lies wholly above this is a finding.
MISSES = 0.05


def findings(report: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Worst first; each has a ``level``, a ``what`` (a key of the page's words), its ``values`` and a place ``see``."""
    found = [*_reconciliation(report["reconciliation"]), *_charts(report["quality"]["charts"])]
    found += [*_lots(report["quality"]["lots"]), *_truth(report["truth"]), *_drift(report["drift"])]
    return sorted(found, key=lambda finding: finding["level"] != RED)


def _say(level: str, what: str, see: str, **values: Any) -> dict[str, Any]:
    return {"level": level, "what": what, "see": see, "values": values}


def _reconciliation(r: Mapping[str, Any]) -> list[dict[str, Any]]:
    found = []
    for name in ("missing", "doubled"):
        if r[name]:
            where = ", ".join(t["journal"] for t in r["troubled"] if t[name])
            days = [day["date"] for day in r["by_day"] if day[name]]
            found.append(_say(RED, name, "reconciliation", n=r[name], where=where, since=days[0] if days else "?"))
    found += [_say(RED, "broken", "reconciliation", text=text) for text in r["breaks"][:3]]
    found += [_say(RED, "late", "reconciliation", text=text) for text in r["late"][:3]]
    if r["dead"]:
        days = [day["date"] for day in r["by_day"] if day["dead"]]
        found.append(_say(AMBER, "dead", "reconciliation", n=r["dead"], since=days[0] if days else "?"))
    if r["proven_until"] is None and r["stored"]:
        found.append(_say(AMBER, "unproven", "reconciliation"))
    return found


def _charts(charts: list[Mapping[str, Any]]) -> list[dict[str, Any]]:
    found = []
    for chart in charts:
        if chart["alarm_since"] is not None:
            level = RED if chart["alarm"] else AMBER
            found.append(
                _say(level, f"shift_{chart['direction']}", "charts", line=chart["line"], since=chart["alarm_since"])
            )
    return found


def _lots(lots: Mapping[str, Any]) -> list[dict[str, Any]]:
    by_name = {row["lot"]: row for row in lots["lots"]}
    return [
        _say(RED, "lot", "lots", lot=lot, share=by_name[lot]["share"], target=lots["target"], n=by_name[lot]["parts"])
        for lot in lots["alarms"][:5]
    ]


def _truth(truth: Mapping[str, Any]) -> list[dict[str, Any]]:
    found = []
    for model in truth["by_model"]:
        low = model["miss"]["low"]
        if low == low and low is not None and low > MISSES:
            found.append(_say(RED, "misses", "truth", model=model["model_version"], **model["miss"]))
    if not truth["audited"]:
        found.append(_say(AMBER, "unaudited", "truth"))
    return found


def _drift(drifts: list[Mapping[str, Any]]) -> list[dict[str, Any]]:
    return [
        _say(RED, "drift", "drift", measure=d["measure"], since=d["began"], psi=d["points"][-1]["psi"])
        for d in drifts
        if d["began"] is not None
    ]
