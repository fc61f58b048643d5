"""The report as one page of HTML: self-contained, no script, for screen and A4. Made from ``report.json`` alone."""

import json
import math
from collections.abc import Mapping
from importlib.resources import files
from typing import Any

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from reports import plots
from reports.findings import mean
from reports.statistics.drift import MOVED

NAMES = {"en": "English", "ko": "한국어"}
LANGUAGES = tuple(NAMES)
#: Charts that are drawn, pairs of judges that are shown.
MOST_CHARTS, MOST_PAIRS = 8, 12


def words(language: str) -> Mapping[str, str]:
    """All texts of the page in ``language``."""
    text = (files("reports") / "words" / f"{language}.json").read_text(encoding="utf-8")
    told: Mapping[str, str] = json.loads(text)
    return told


def render(report: Mapping[str, Any], first: str = "en") -> str:
    """The whole page: every language in it, ``first`` shown at first. Raises KeyError for a language without words."""
    if first not in LANGUAGES:
        raise KeyError(first)
    bodies = [(language, Markup(_body(report, language))) for language in LANGUAGES]  # noqa: S704  escaped by _body
    title = f"{words(first)['title']} · {report['period']['to']}"
    return str(_template("page").render(bodies=bodies, first=first, title=title, names=NAMES))


def _template(name: str) -> Any:
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters.update(percent=percent, count=number, figure=figure, kappa=kappa)
    return environment.from_string((files("reports") / f"{name}.html.j2").read_text(encoding="utf-8"))


def _body(report: Mapping[str, Any], language: str) -> str:
    texts = words(language)
    return str(
        _template("body").render(
            r=report,
            t=texts,
            language=language,
            other=next(name for name in LANGUAGES if name != language),
            definitions=[name.removeprefix("def_") for name in texts if name.startswith("def_")],
            say=lambda finding: say(finding, texts),
            svg=_drawings(report, {**texts, "language": language}),
            level=level(report),
            mean=lambda chart: _told("mean", mean(chart["baseline"])),
            most_charts=MOST_CHARTS,
            most_pairs=MOST_PAIRS,
        )
    )


def level(report: Mapping[str, Any]) -> str:
    """red, amber or green: the worst of the findings."""
    levels = {finding["level"] for finding in report["findings"]}
    return "red" if "red" in levels else "amber" if "amber" in levels else "green"


def say(finding: Mapping[str, Any], texts: Mapping[str, str]) -> str:
    """A finding as a sentence."""
    values = {name: _told(name, value) for name, value in finding["values"].items()}
    if "measure" in values:
        values["measure"] = texts[f"measure_{values['measure']}"]
    return texts[f"finding_{finding['what']}"].format_map(values)


def _told(name: str, value: Any) -> str:
    if name in ("share", "target", "mean", "value", "low", "high"):
        return value if isinstance(value, str) else percent(value)
    if name == "psi":
        return figure(value)
    if value is None:
        return "–"
    if name in ("since", "until"):
        return str(value)[:16].replace("T", " ")  # the page says once which time zone
    return number(value) if isinstance(value, int) else str(value)


def percent(value: float | None, digits: int = 2) -> str:
    """Rounded, but neither to nothing nor to all: a defect among a million parts is not 0.00 %."""
    if value is None:
        return "–"
    return _rounded(value * 100, digits, 100) + "\N{NO-BREAK SPACE}%"


def number(value: float | None) -> str:
    return "–" if value is None else f"{value:,}"


def figure(value: float | None, digits: int = 3) -> str:
    return "–" if value is None else _rounded(value, digits, math.inf)


def kappa(value: float | None, digits: int = 3) -> str:
    """A figure that is 1 where all agree, and only there."""
    return "–" if value is None else _rounded(value, digits, 1)


def _rounded(value: float, digits: int, most: float) -> str:
    """What lies strictly between 0 and ``most`` is said to, where rounding would hide it."""
    step = 10.0**-digits
    text = f"{value:.{digits}f}"
    if value < most and float(text) >= most:
        return f"> {most - step:.{digits}f}"
    if value and not float(text):
        return f"< {step:.{digits}f}" if value > 0 else f"> -{step:.{digits}f}"
    return text


def _drawings(report: Mapping[str, Any], t: Mapping[str, str]) -> Mapping[str, Any]:
    quality, truth = report["quality"], report["truth"]
    charts = [
        Markup(plots.control_chart(chart, f"{t['charts']}: {chart['line'] or '–'}", t))  # noqa: S704  our own SVG
        for chart in quality["charts"][:MOST_CHARTS]
        if chart["points"]
    ]
    drawn: dict[str, Any] = {
        **dict.fromkeys(("lines", "pareto", "funnel", "calibration", "drift"), ""),
        "charts": charts,
    }
    lines = [row for row in quality["by_line"] if row["parts"]]  # not where all were seen before the period
    if lines:
        drawn["lines"] = Markup(plots.intervals(lines, "line", t["by_line"], t))  # noqa: S704
    if quality["defect_types"]:
        drawn["pareto"] = Markup(plots.pareto(quality["defect_types"], "defect_type", t["pareto"], t))  # noqa: S704
    if quality["lots"]["lots"] and quality["lots"]["target"]:
        drawn["funnel"] = Markup(plots.funnel_plot(quality["lots"], t["lots"], t))  # noqa: S704
    if truth["calibration"]["bins"]:
        drawn["calibration"] = Markup(plots.calibration(truth["calibration"]["bins"], t["calibration"], t))  # noqa: S704
    if any(drift["points"] for drift in report["drift"]):
        drawn["drift"] = Markup(plots.drift_chart(report["drift"], MOVED, t["drift"], t))  # noqa: S704
    return drawn
