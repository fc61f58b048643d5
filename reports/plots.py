"""The report's drawings as inline SVG. Text stays text, so that the reader's fonts show it in any language.

Labels are given by the caller and put in after drawing, because the library has no Korean glyphs to measure.
"""

import io
import re
import warnings
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from html import escape
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure

from reports.statistics import funnel

INK, GREY, RED, BLUE, AMBER = "#1f2933", "#8a97a6", "#c0232c", "#2364aa", "#c77700"
_STYLE = {
    "svg.fonttype": "none",
    "text.parse_math": False,  # a lot may be called "$x_1$"
    "font.family": "sans-serif",
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": GREY,
    "axes.labelcolor": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "axes.grid": True,
    "grid.color": "#e4e8ec",
    "grid.linewidth": 0.6,
    "axes.axisbelow": True,
}
Words = Mapping[str, str]
#: Longer names are cut in drawings; of more lots the outermost and a sample are drawn.
LABEL, LOTS = 24, 1000
#: Points of a chart beside which Nelson's rules are named by number.
NAMED = 40


def _short(name: object) -> str:
    text = "–" if name is None else str(name)
    return text if len(text) <= LABEL else text[: LABEL - 1] + "…"


def _figure(height: float) -> tuple[Figure, Any]:
    figure = Figure(figsize=(7.6, height), layout="constrained")
    return figure, figure.subplots()


def _svg(figure: Figure, name: str, title: str, words: Words) -> str:
    """The drawing without XML prologue; ``@key@`` in its text becomes the word."""
    with mpl.rc_context({**_STYLE, "svg.hashsalt": f"{name} {words.get('language')}"}), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing")  # the reader's fonts have it
        out = io.StringIO()
        figure.savefig(out, format="svg", metadata={"Date": None, "Creator": None, "Format": None, "Type": None})
    svg = out.getvalue()
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"@(\w+)@", lambda match: escape(words.get(match[1], match[1])), svg)
    svg = re.sub(
        r'<svg [^>]*viewBox="([^"]*)"[^>]*>',
        r'<svg viewBox="\1" role="img" xmlns="http://www.w3.org/2000/svg">',
        svg,
        count=1,
    )
    svg = svg.replace("xlink:href", "href")
    return svg.replace(">", f"><title>{escape(title)}</title>", 1)


def control_chart(chart: Mapping[str, Any], title: str, words: Words) -> str:
    """Shares with their limits above, EWMA of the standardised values below."""
    with mpl.rc_context(_STYLE):
        figure = Figure(figsize=(7.6, 3.9), layout="constrained")
        top, bottom = figure.subplots(2, 1, sharex=True, height_ratios=(2, 1))
        points = chart["points"]
        at = [datetime.fromisoformat(point["at"]).replace(tzinfo=None) for point in points]
        share = np.array([point["share"] for point in points]) * 100
        fired = np.array([bool(point["rules"]) for point in points])
        top.fill_between(
            at, [p["low"] * 100 for p in points], [p["high"] * 100 for p in points], step="mid", color="#e8eef5", lw=0
        )
        top.axhline(chart["baseline"]["mean"] * 100, color=GREY, lw=1)
        top.plot(at, share, color=BLUE, lw=0.7, marker=".", ms=3)
        times = np.array(at, dtype=object)
        top.plot(times[fired], share[fired], "o", color=RED, ms=4, mfc="none")
        _name_rules(top, at, share, points)
        top.set_ylabel("@defect_share@ %")
        bottom.fill_between(
            at, [-p["ewma_limit"] for p in points], [p["ewma_limit"] for p in points], color="#e8eef5", lw=0
        )
        bottom.plot(at, [p["ewma"] for p in points], color=INK, lw=1)
        bottom.set_ylabel("EWMA z")
        if chart["alarm_since"]:
            since = datetime.fromisoformat(chart["alarm_since"]).replace(tzinfo=None)
            for axes in (top, bottom):
                axes.axvline(since, color=RED, lw=1, ls="--")
        bottom.tick_params(axis="x", rotation=0)
        _dates(bottom, at)
    return _svg(figure, f"chart-{chart['line']}", title, words)


def _name_rules(axes: Any, at: Sequence[datetime], share: Any, points: Sequence[Mapping[str, Any]]) -> None:
    """The numbers of the rules that fire, where they begin to; a hundred of them could not be read."""
    before: Sequence[int] = ()
    named = 0
    for time, height, point in zip(at, share, points, strict=True):
        fresh = [str(rule) for rule in point["rules"] if rule not in before]
        before = point["rules"]
        if fresh and named < NAMED:
            named += 1
            place = {"textcoords": "offset points", "xytext": (3, 3), "fontsize": 7, "color": RED}
            axes.annotate(",".join(fresh), (time, height), **place)


def _dates(axes: Any, at: Sequence[datetime]) -> None:
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter

    edge = max(timedelta(hours=2), (max(at) - min(at)) / 40)  # one point alone needs room too
    axes.set_xlim(min(at) - edge, max(at) + edge)

    locator = AutoDateLocator(maxticks=9)
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(
        ConciseDateFormatter(
            locator,
            formats=["%Y", "%m", "%m-%d", "%H:%M", "%H:%M", "%S"],
            offset_formats=["", "%Y", "%Y-%m", "%Y-%m-%d", "%Y-%m-%d", "%Y-%m-%d"],
        )
    )


def pareto(rows: Sequence[Mapping[str, Any]], name: str, title: str, words: Words) -> str:
    """Bars by count, the running share above."""
    with mpl.rc_context(_STYLE):
        figure, axes = _figure(2.6)
        labels = [_short(row[name]) for row in rows[:12]]
        axes.bar(range(len(labels)), [row["parts"] for row in rows[:12]], color=BLUE, width=0.7)
        axes.set_xticks(range(len(labels)), labels)
        axes.set_ylabel("@parts@")
        right = axes.twinx()
        right.plot(range(len(labels)), [row["cumulative"] * 100 for row in rows[:12]], color=AMBER, marker=".")
        right.set_ylim(0, 105)
        right.set_ylabel("%")
        right.grid(False)
    return _svg(figure, f"pareto-{name}", title, words)


def intervals(rows: Sequence[Mapping[str, Any]], name: str, title: str, words: Words) -> str:
    """Defect share of each with its 95 % interval."""
    with mpl.rc_context(_STYLE):
        some = list(rows[:15])[::-1]
        figure, axes = _figure(0.7 + 0.26 * len(some))
        share = np.array([row["defect_share"] for row in some]) * 100
        low = share - np.array([row["defect_low"] for row in some]) * 100
        high = np.array([row["defect_high"] for row in some]) * 100 - share
        axes.errorbar(share, range(len(some)), xerr=np.maximum(0, [low, high]), fmt="o", color=BLUE, ms=4, lw=1.2)
        axes.set_yticks(range(len(some)), [_short(row[name]) for row in some])
        axes.set_ylim(-0.6, len(some) - 0.4)
        axes.set_xlim(left=0)
        axes.set_xlabel("@defect_share@ %")
    return _svg(figure, f"intervals-{name}", title, words)


def funnel_plot(lots: Mapping[str, Any], title: str, words: Words) -> str:
    """Lots by size and defect share, with the limits that chance stays in."""
    with mpl.rc_context(_STYLE):
        figure, axes = _figure(3.2)
        rows = _some(lots["lots"])
        n = np.array([row["parts"] for row in rows], dtype=float)
        sizes = np.unique(np.geomspace(max(1.0, n.min() * 0.8), n.max() * 1.1, 120).round())
        for coverage, style in ((0.95, ":"), (funnel.OUTER, "-")):
            for limit in funnel.limits(sizes, lots["target"], coverage):
                axes.plot(sizes, limit * 100, style, color=GREY, lw=0.9)
        axes.axhline(lots["target"] * 100, color=GREY, lw=1)
        alarms = set(lots["alarms"])
        alarm = np.array([row["lot"] in alarms for row in rows])
        share = np.array([row["share"] for row in rows]) * 100
        axes.plot(n[~alarm], share[~alarm], ".", color=BLUE, ms=4, alpha=0.7)
        axes.plot(n[alarm], share[alarm], "o", color=RED, ms=5)
        for row in [row for row in rows if row["lot"] in alarms][:5]:
            axes.annotate(
                _short(row["lot"]), (row["parts"], row["share"] * 100), (4, 4), textcoords="offset points", color=RED
            )
        axes.set_xlabel("@parts@")
        axes.set_ylabel("@defect_share@ %")
    return _svg(figure, "funnel", title, words)


def _some(rows: Sequence[Mapping[str, Any]]) -> Sequence[Mapping[str, Any]]:
    """``rows`` come worst first."""
    rest = rows[LOTS // 2 :]
    return [*rows[: LOTS // 2], *rest[:: max(1, -(-len(rest) // (LOTS // 2)))]]


def calibration(bins: Sequence[Mapping[str, Any]], title: str, words: Words) -> str:
    """Defective share against score, with intervals; the diagonal is perfect."""
    with mpl.rc_context(_STYLE):
        figure, axes = _figure(3.0)
        score = np.array([row["score"] for row in bins])
        share = np.array([row["value"] for row in bins])
        error = [share - [row["low"] for row in bins], [row["high"] for row in bins] - share]
        axes.plot([0, 1], [0, 1], color=GREY, lw=1)
        axes.errorbar(score, share, yerr=np.maximum(0, error), fmt="o", color=BLUE, ms=4, lw=1.2)
        axes.set_xlabel("p_defect")
        axes.set_ylabel("@share_defective@")
    return _svg(figure, "calibration", title, words)


def drift_chart(drifts: Sequence[Mapping[str, Any]], bound: float, title: str, words: Words) -> str:
    """PSI by day of every measure."""
    with mpl.rc_context(_STYLE):
        figure, axes = _figure(2.6)
        for drift, color in zip(drifts, (BLUE, AMBER, INK), strict=False):
            days = [datetime.fromisoformat(point["day"]) for point in drift["points"]]
            axes.plot(
                days,
                [point["psi"] for point in drift["points"]],
                marker=".",
                color=color,
                label=f"@measure_{drift['measure']}@",
            )
        axes.axhline(bound, color=RED, lw=1, ls="--")
        axes.set_ylabel("PSI")
        axes.set_ylim(bottom=0)
        axes.legend(frameon=False, ncols=3, loc="upper left")
        _dates(axes, [datetime.fromisoformat(point["day"]) for drift in drifts for point in drift["points"]])
    return _svg(figure, "drift", title, words)
