#!/usr/bin/env python3
"""Turns DIR/sweep.json and the comparisons that it names into DIR/index.html: a map of where each reduction holds.

    sweep.py DIR

Needs numpy and matplotlib. Exit codes: 0 done, 2 nothing to report on or the page cannot be written.
"""

from __future__ import annotations

import html
import json
import sys
from pathlib import Path

sys.dont_write_bytecode = True  # the program's own folder stays as it is

import check_words
import drawing
import markup
import numpy as np
from drawing import plt
from result_folder import TIER_TITLES
from triscale_report import write_atomically

COLOURS = {"consistent": "#b5e0cf", "inconsistent": "#f3b28c", "undecided": "#e3e7ec", "failed": "#ffffff"}
INKS = {"consistent": "#00513c", "inconsistent": "#7a2f00", "undecided": "#3f4b57", "failed": "#7a2f00"}
FAR = 10.0  # tolerances: further away is written as ">10"


def load(folder: Path) -> dict:
    """The sweep, each point with the checks of its consistency.json."""
    sweep = json.loads((folder / "sweep.json").read_text(encoding="utf-8"))
    for point in sweep["points"]:
        point["checks"] = []
        file = folder / point["folder"] / "consistency.json"
        if point["status"] == "done" and file.exists():
            point["checks"] = json.loads(file.read_text(encoding="utf-8"))["checks"]
    return sweep


def pairs_of(sweep: dict) -> list[tuple[str, str]]:
    return list(dict.fromkeys((c["finer"], c["coarser"]) for p in sweep["points"] for c in p["checks"]))


def verdict_of(point: dict, checks: list[dict]) -> str:
    if point["status"] != "done":
        return "failed" if point["status"] == "failed" else "undecided"
    verdicts = {c["verdict"] for c in checks}
    return next((v for v in ("inconsistent", "undecided", "consistent") if v in verdicts), "undecided")


def distance(checks: list[dict]) -> float:
    """The largest difference in tolerances, 1 being the limit of agreement: of what disagrees; else of all. A difference that is
    undecided may be far off by chance."""
    off = [c for c in checks if c["verdict"] == "inconsistent"]
    return max((check_words.severity(c) for c in off or checks), default=float("nan"))


def counted(checks: list[dict]) -> str:
    """How many of several checks disagree."""
    return f"{sum(c['verdict'] == 'inconsistent' for c in checks)} of {len(checks)}" if len(checks) > 1 else ""


def named(values: list[float]) -> list[str]:
    return [f"{v:.4g}" for v in values]


def map_of(sweep: dict, selections: list[tuple[str, callable]], size: float = 3.1) -> str:
    """One panel for each selection of checks: a field a point, its colour the verdict, the number in it how far off."""
    axes_of = sweep["axes"]
    columns, rows = len(axes_of[0]["values"]), len(axes_of[1]["values"]) if len(axes_of) > 1 else 1
    across = min(len(selections), 3)
    down = -(-len(selections) // across)
    height = 0.9 + max(1.0, 0.42 * rows)
    figure, panels = plt.subplots(down, across, figsize=(9.6, height * down + 0.3), squeeze=False, layout="constrained")
    for unused in panels.flat[len(selections):]:
        unused.set_visible(False)
    words = []
    for panel, (title, choose) in zip(panels.flat, selections):
        for k, point in enumerate(sweep["points"]):
            x, y = k % columns, k // columns
            checks = choose(point["checks"])
            verdict = verdict_of(point, checks)
            none = point["status"] == "done" and not checks
            panel.add_patch(plt.Rectangle((x - 0.47, y - 0.45), 0.94, 0.9, facecolor="#f6f7f9" if none else COLOURS[verdict],
                                          edgecolor="#b34700" if verdict == "failed" else "none", hatch="//" if verdict == "failed" else None,
                                          lw=0.8))
            far = distance(checks)
            number = "" if not np.isfinite(far) else f">{FAR:g}" if far > FAR else f"{far:.1f}"
            symbol = "·" if none else {"failed": "!"}.get(verdict, markup.SYMBOLS.get(verdict, "?"))
            share = counted(checks) if columns <= 6 else ""
            panel.text(x, y, f"{symbol} {number}".strip() + (f"\n{share}" if share else ""), ha="center", va="center", fontsize=8 if columns <= 6 else 6.5,
                       color=INKS[verdict], fontweight="bold")
            words.append(f"{title} at {', '.join(named(point['values']))}: {verdict} {number} {counted(checks)}".rstrip())
        panel.set(xlim=(-0.5, columns - 0.5), ylim=(-0.5, rows - 0.5), title=title, xlabel=axes_of[0]["key"])
        panel.set_xticks(range(columns), named(axes_of[0]["values"]), rotation=45 if columns > 6 else 0)
        panel.set_yticks(range(rows) if rows > 1 else [], named(axes_of[1]["values"]) if rows > 1 else [])
        if rows > 1 and panel in panels[:, 0]:
            panel.set_ylabel(axes_of[1]["key"])
        for side in panel.spines.values():
            side.set_visible(False)
        panel.tick_params(length=0)
    return drawing.picture(figure, "Map of agreement. " + "; ".join(words))


def first_row(sweep: dict) -> str:
    """At which value of the second parameter the curves are."""
    if len(sweep["axes"]) < 2:
        return ""
    second = sweep["axes"][1]
    return f"At {html.escape(second['key'])} = {second['values'][middle_row(sweep)]:.4g}."


def middle_row(sweep: dict) -> int:
    return len(sweep["axes"][1]["values"]) // 2 if len(sweep["axes"]) > 1 else 0


def curves(sweep: dict) -> str:
    """Mean rates of all tiers along the first parameter, one panel a population."""
    first = sweep["axes"][0]
    columns = len(first["values"])
    rates: dict[str, dict[str, list]] = {}
    begin = columns * middle_row(sweep)
    for k, point in enumerate(sweep["points"][begin : begin + columns]):
        for check in point["checks"]:
            if check["statistic"] != "mean_rate":
                continue
            for tier, value in ((check["finer"], check["finer_value"]), (check["coarser"], check["coarser_value"])):
                rates.setdefault(check["population"], {}).setdefault(tier, [np.nan] * columns)[k] = value
    if not rates:
        return ""
    figure, panels = drawing.grid(len(rates))
    for panel, (population, tiers) in zip(panels, rates.items()):
        for tier, values in tiers.items():
            panel.plot(first["values"], values, drawing.TIER_MARKERS.get(tier, "o"), ls=drawing.TIER_DASHES.get(tier, "-"),
                       color=drawing.colour(tier), ms=5, label=TIER_TITLES.get(tier, tier))
        panel.margins(y=0.12)
        panel.set(title=population, xlabel=first["key"])
        panel.set_ylim(bottom=0)
        panel.legend(fontsize=7)
    panels[0].set_ylabel("mean rate (Hz)")
    return drawing.picture(figure, f"Mean rate of every population in all levels against {first['key']}")


def sentences(sweep: dict) -> list[str]:
    """For each pair of levels: at how many points it holds, and what fails most often."""
    texts = []
    done = [p for p in sweep["points"] if p["status"] == "done"]
    for pair in pairs_of(sweep):
        of_pair = [[c for c in p["checks"] if (c["finer"], c["coarser"]) == pair] for p in done]
        counts = {v: sum(verdict_of({"status": "done"}, checks) == v for checks in of_pair) for v in markup.SYMBOLS}
        text = (f"<strong>{markup.title_of(pair[0])} → {markup.title_of(pair[1])}</strong>: of {len(done)} points, "
                + ", ".join(f"{n} {v}" for v, n in counts.items() if n) + ".")
        bad: dict[str, int] = {}
        for checks in of_pair:
            for statistic in {c["statistic"] for c in checks if c["verdict"] == "inconsistent"}:
                bad[statistic] = bad.get(statistic, 0) + 1
        if bad:
            worst = sorted(bad.items(), key=lambda item: -item[1])[:3]
            text += " Most often off: " + ", ".join(f"{check_words.STATISTICS.get(s, s)} (at {n} points)" for s, n in worst) + "."
        texts.append(text)
    failed = [p for p in sweep["points"] if p["status"] == "failed"]
    pending = [p for p in sweep["points"] if p["status"] == "pending"]
    if failed:
        texts.append(f"{len(failed)} point{'s' * (len(failed) != 1)} could not be computed; the reasons stand in the list below.")
    if pending:
        texts.append(f"{len(pending)} points have not been computed yet; the same command goes on with them.")
    return texts


def point_table(sweep: dict) -> str:
    head = [html.escape(a["key"]) for a in sweep["axes"]] + ["verdict", "largest difference", "where", "comparison"]
    rows = []
    for point in sweep["points"]:
        worst = max(point["checks"], key=check_words.severity, default=None)
        where = ""
        if worst is not None:
            where = (f"{html.escape(worst['population'])}, {check_words.STATISTICS.get(worst['statistic'], html.escape(worst['statistic']))}, "
                     f"{markup.title_of(worst['finer'])} → {markup.title_of(worst['coarser'])}")
        verdict = markup.chip(point["verdict"]) if point["status"] == "done" else html.escape(point["status"])
        rows.append(named(point["values"]) + [verdict, f"{markup.num(check_words.severity(worst), 2)} tolerances" if worst else "",
                                              html.escape(point.get("problem") or where), f"<code>{html.escape(point['folder'])}</code>"])
    return markup.table(head, rows, "dense")


def build(sweep: dict, style: str) -> str:
    pairs = pairs_of(sweep)
    statistics = [s for s in check_words.STATISTICS if any(c["statistic"] == s for p in sweep["points"] for c in p["checks"])]
    config = Path(sweep["config"])
    generic = config.stem.startswith("config")  # as all SONATA circuits are called: the folder says which it is
    name = html.escape(config.resolve().parent.name if generic else config.stem)
    by_pair = [(f"{markup.title_of(a)} → {markup.title_of(b)}", lambda checks, pair=(a, b): [c for c in checks if (c["finer"], c["coarser"]) == pair])
               for a, b in pairs]
    derived_text = ("The coarser levels were derived once, from the circuit as it is, and kept: the map shows how far from there they hold."
                    if sweep["derived"] == "once" else "The coarser levels were derived anew at every point: the map shows where the method works.")
    key = ("Each field is one comparison. ✓: all checks consistent; ✗: at least one inconsistent; ?: undecided; hatched: could not be "
           "computed. The number is the largest difference that disagrees (of all, if none does) in tolerances: 1 is the limit of agreement; "
           "below it, how many checks disagree.")
    maps = markup.figure(map_of(sweep, by_pair), key, "Nothing has been compared yet.") if pairs else '<p class="missing">Nothing has been compared yet.</p>'
    details = ""
    for a, b in pairs:
        selections = [(check_words.STATISTICS[s], lambda checks, pair=(a, b), s=s: [c for c in checks if (c["finer"], c["coarser"]) == pair
                                                                            and c["statistic"] == s]) for s in statistics
                      if any(c["statistic"] == s and (c["finer"], c["coarser"]) == (a, b) for p in sweep["points"] for c in p["checks"])]
        details += f"<h3>{markup.title_of(a)} → {markup.title_of(b)}</h3>" + markup.figure(map_of(sweep, selections), "", "")
    sections = [
        markup.section("summary", "In short", "<ul>" + "".join(f"<li>{t}</li>" for t in sentences(sweep)) + f"</ul><p>{derived_text}</p>"),
        markup.section("map", "Where each reduction holds", maps),
        markup.section("rates", "Rates along the first parameter", markup.figure(curves(sweep), first_row(sweep), "No rates were compared.")),
        markup.section("statistics", "What holds where", details, "The same map for every statistic; over all populations, the worst counts."),
        markup.section("points", "Points", point_table(sweep))]
    return f"""<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{name}: where the levels agree</title><style>{style}</style></head>
<body><header><p class="eyebrow">Validity map</p><h1>{name}</h1>
<p class="meta">{' × '.join(html.escape(a['key']) for a in sweep['axes'])}, {len(sweep['points'])} points</p></header>
<main>{''.join(sections)}</main></body></html>
"""


def main(arguments: list[str]) -> int:
    folder = Path(arguments[0]) if len(arguments) == 1 else None
    if folder is None or not (folder / "sweep.json").exists():
        print("usage: sweep.py DIR, a folder that `triscale compare --sweep` has written", file=sys.stderr)
        return 2
    style = (Path(__file__).resolve().parent / "style.css").read_text(encoding="utf-8")
    try:
        write_atomically(folder / "index.html", build(load(folder), style))
    except (OSError, ValueError, KeyError) as error:
        print(f"{folder}: no page could be made: {error!r}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
