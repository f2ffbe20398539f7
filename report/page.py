"""Puts a result folder into words, tables and pictures: the sections of index.html."""

from __future__ import annotations

import re
from pathlib import Path

import derived_section
import figures
import signal_figures
from check_words import (ONE_SIDED, SIGNAL_STATISTICS, STATISTICS, actions, checks_of, finding, pair_sentences, severity,
                         statistics_of)
from markup import SYMBOLS, chip, esc, figure, num, seconds, section, signed, table, title_of
from result_folder import Results

HEADLINES = {"consistent": "The levels agree", "inconsistent": "The levels disagree",
             "undecided": "Not decided yet"}
MAX_FINDINGS = 6
COURSE_BIN_MS = 50.0

# ------------------------------------------------------------------------------------------------------ summary -------

def circuit_name(results: Results) -> str:
    for tier in results.tiers:
        config = tier.run.get("config")
        if config:
            path = Path(str(config))
            generic = re.fullmatch(r"(simulation_|circuit_)?config(\.\w+)?|circuit|recipe", path.stem)
            return path.parent.name if generic and path.parent.name else path.stem
    return results.folder.resolve().name


def headline(results: Results) -> str:
    consistency = results.consistency
    verdict = (consistency or {}).get("verdict")
    if verdict not in HEADLINES:
        text = "Whether the levels agree was not checked" if len(results.tiers) > 1 else "One level was run; nothing to compare"
        return f'<div class="verdict none"><strong>{text}</strong></div>'
    summary = esc(consistency.get("summary") or "")
    return f'<div class="verdict {verdict}" role="status"><strong>{SYMBOLS[verdict]} {HEADLINES[verdict]}</strong><p>{summary}</p></div>'


def what_was_run(results: Results) -> str:
    if not results.tiers:
        return "No run was found in this folder."
    first = results.tiers[0]
    names = results.populations()
    levels = " and ".join(filter(None, [", ".join(t.title for t in results.tiers[:-1]), results.tiers[-1].title]))
    cells = sum(max((t.populations[n].cells for t in results.tiers if n in t.populations), default=0) for n in names)
    text = (f"<strong>{esc(circuit_name(results))}</strong>: {cells:,} cells in {len(names)} population{'s' * (len(names) != 1)}, "
            f"run as {esc(levels)} for {seconds(first.duration_ms)} of simulated time.")
    hashes = {t.run.get("edge_hash") for t in results.tiers if t.run.get("edge_hash")}
    if len(results.tiers) > 1 and hashes:
        text += (" All levels used the same connections." if len(hashes) == 1
                 else " <strong>Warning: the levels did not use the same connections.</strong>")
    return text


def speed(results: Results) -> str:
    walls = {t.name: t.run.get("wall_s") for t in results.tiers}
    walls = {k: v for k, v in walls.items() if isinstance(v, (int, float)) and v > 0}
    if "detailed" not in walls or len(walls) < 2:
        return ""

    def ratio(wall: float) -> str:
        faster = walls["detailed"] / wall
        return f"{num(faster, 2)} times faster" if faster >= 1 else f"{num(1 / faster, 2)} times slower"

    parts = [f"the {title_of(k)} level took {num(v)} s ({ratio(v)})" for k, v in walls.items() if k != "detailed"]
    return f"The detailed level took {num(walls['detailed'])} s to run, " + ", ".join(parts) + "."


def summary(results: Results) -> str:
    checks = checks_of(results)
    body = f"<p>{what_was_run(results)} {speed(results)}</p>"
    if checks:
        body += "<ul>" + "".join(f"<li>{s}</li>" for s in pair_sentences(checks)) + "</ul>"
    bad = sorted((c for c in checks if c["verdict"] == "inconsistent"), key=severity, reverse=True)
    if bad:
        body += "<h3>Where they disagree</h3><ol>" + "".join(f"<li>{finding(c)}</li>" for c in bad[:MAX_FINDINGS]) + "</ol>"
        if len(bad) > MAX_FINDINGS:
            body += f'<p>{len(bad) - MAX_FINDINGS} more stand in the <a href="#agreement">table</a>.</p>'
    todo = actions(results, checks)
    if todo:
        body += "<h3>What to do</h3><ul>" + "".join(f"<li>{t}</li>" for t in todo) + "</ul>"
    return section("summary", "In short", body)


# ---------------------------------------------------------------------------------------------------- agreement -------

def matrix(checks: list[dict], omitted: list[dict]) -> str:
    """For each pair of levels a table of populations and statistics; only statistics that were compared get a column."""
    reasons = {(o.get("population"), o.get("finer"), o.get("coarser"), o.get("statistic")): o.get("reason", "") for o in omitted}
    text = ""
    for pair in dict.fromkeys((c["finer"], c["coarser"]) for c in checks):
        of_pair = {(c["population"], c["statistic"]): c for c in checks if (c["finer"], c["coarser"]) == pair}
        statistics = statistics_of(list(of_pair.values()))
        head = '<tr><th scope="col">population</th>' + "".join(
            f'<th scope="col" class="small">{STATISTICS.get(s, esc(s))}</th>' for s in statistics) + "</tr>"
        rows = ""
        for population in dict.fromkeys(p for p, _ in of_pair):
            rows += f'<tr><th scope="row">{esc(population)}</th>'
            for statistic in statistics:
                check = of_pair.get((population, statistic))
                if check is None:
                    reason = esc(reasons.get((population, *pair, statistic), "not compared"))
                    rows += f'<td class="cell" title="{reason}"><span aria-label="left out">·</span></td>'
                    continue
                tip = f"{signed(check.get('difference'))} ({signed(check.get('ci_low'))} to {signed(check.get('ci_high'))})"
                rows += (f'<td class="cell {check["verdict"]}" title="{esc(tip)}"><span aria-label="{check["verdict"]}">'
                         f'{SYMBOLS.get(check["verdict"], "?")}</span></td>')
            rows += "</tr>"
        text += (f"<h3>{title_of(pair[0])} → {title_of(pair[1])}</h3>"
                 f'<div class="scroll"><table class="matrix"><thead>{head}</thead><tbody>{rows}</tbody></table></div>')
    return text + ('<p class="key"><span class="chip consistent">✓ consistent</span> <span class="chip inconsistent">✗ inconsistent</span> '
                   '<span class="chip undecided">? undecided</span> · left out, with the reason further down</p>')


MOST_OPEN = 6  # populations whose checks are shown without being asked for; of a longer circuit only those that disagree


def check_list(checks: list[dict]) -> str:
    """All checks, grouped by population."""
    populations = list(dict.fromkeys(c["population"] for c in checks))
    text = ""
    for population in populations:
        group = [c for c in checks if c["population"] == population]
        counts = ", ".join(f"{n} {v}" for v in SYMBOLS if (n := sum(c["verdict"] == v for c in group)))
        disagrees = any(c["verdict"] == "inconsistent" for c in group)
        is_open = " open" if len(populations) <= MOST_OPEN or disagrees else ""
        tables = "".join(f"<h4>{title_of(a)} → {title_of(b)}</h4>" + check_table([c for c in group if (c["finer"], c["coarser"]) == (a, b)])
                         for a, b in dict.fromkeys((c["finer"], c["coarser"]) for c in group))
        text += (f'<details class="group"{is_open}><summary>{esc(population)} <span class="counts">{counts}</span></summary>'
                 f"{tables}</details>")
    return text


def check_table(checks: list[dict]) -> str:
    rows = []
    for c in checks:
        interval = f'{signed(c.get("ci_low"), 2)} … {signed(c.get("ci_high"), 2)}' if c.get("ci_low") is not None else "–"
        sign = "−" if c["statistic"] in ONE_SIDED else "±"
        rows.append([{**STATISTICS, **SIGNAL_STATISTICS}.get(c["statistic"], esc(c["statistic"])), chip(c["verdict"]),
                     num(c.get("finer_value")), num(c.get("coarser_value")), signed(c.get("difference")), interval,
                     sign + num(c.get("tolerance")), seconds(c["needed_ms"]) if c.get("needed_ms") is not None else "",
                     esc(c.get("note") or "")])
    head = ["statistic", "verdict", "finer", "coarser", "difference", "interval", "tolerance", "time to decide", "remark"]
    used = [k for k in range(len(head)) if any(row[k] for row in rows)]
    return table([head[k] for k in used], [[row[k] for k in used] for row in rows], "dense checks")


def agreement(results: Results) -> str:
    checks = checks_of(results)
    if results.consistency is None:
        return section("agreement", "Do the levels agree?", '<p class="missing">There is no consistency.json: nothing was compared.</p>')
    omitted = [o for o in results.consistency.get("omitted") or [] if isinstance(o, dict)]
    body = matrix([c for c in checks if c["statistic"] not in SIGNAL_STATISTICS], omitted) if checks else '<p class="missing">The check made no comparisons.</p>'
    body += figure(figures.forest(results, {**STATISTICS, **SIGNAL_STATISTICS}),
                   "Each difference (mark) with its interval (line), divided by its tolerance, so that the shaded band from −1 to 1 means "
                   "agreement. Arrowheads are off the scale. Of rate time courses only falling short, to the left, counts.", "No differences to draw.")
    if checks:
        body += f"<h3>All {len(checks)} comparisons, by population</h3>{check_list(checks)}"
    if omitted:
        rows = [[esc(o.get("population", "")), {**STATISTICS, **SIGNAL_STATISTICS}.get(o.get("statistic"), esc(o.get("statistic", ""))),
                 f'{esc(o.get("finer", ""))} → {esc(o.get("coarser", ""))}', esc(o.get("reason", ""))] for o in omitted]
        body += (f"<details><summary>{len(rows)} comparisons left out, and why</summary>"
                 f"{table(['population', 'statistic', 'levels', 'reason'], rows, 'dense checks')}</details>")
    return section("agreement", "Do the levels agree?", body)


# ----------------------------------------------------------------------------------------------------- activity -------

def rate_bands(results: Results) -> str:
    """Standard deviations of the rates by the derived parameters, as a sentence; empty where none is known."""
    bands = [(tier, name, results.rate_parameter_sd_hz(tier, name)) for tier in results.tiers for name in tier.populations]
    known = [f"{esc(name)} ±{num(sd_hz, 2)} Hz ({tier.title})" for tier, name, sd_hz in bands if sd_hz is not None]
    return f" Standard deviations by the parameters: {', '.join(known)}." if known else ""


def activity(results: Results) -> str:
    begin, end = results.window()
    bin_ms = ((results.consistency or {}).get("analysis") or {}).get("bin_ms") or COURSE_BIN_MS
    parts = [
        ("Spikes", figures.rasters(results),
         "One mark per spike, one row per cell; the same rows are the same cells. Of large populations every n-th cell; at most the last "
         "3 s.", "There are no spikes to show: no spikes.h5 could be read."),
        ("Rates and irregularity", figures.levels(results),
         "Marks are means, lines their intervals from the block bootstrap (where there is a consistency check). Pale bars: how far the "
         "uncertainty of the derived parameters may move a rate (95 %)." + rate_bands(results),
         "No rates are known."),
        ("Rates in time", figures.time_courses(results, float(bin_ms)),
         f"Bins of {num(bin_ms)} ms; at most the last 5 s.", "No rate time course is known."),
        ("Rates of single cells", figures.distributions(results),
         "Share of cells that fire at most at a rate. A vertical line: the level gives all cells one rate.",
         "No rates of single cells are known."),
        ("Power spectra of the population rates", figures.spectra(results),
         "Spikes of finitely many cells have a floor of twice the rate over the number of cells, which a mean-field does not have.",
         "The run is too short for spectra, or there are no spikes."),
    ]
    body = "".join(f"<h3>{title}</h3>{figure(image, caption, missing)}" for title, image, caption, missing in parts)
    return section("activity", "What the circuit does", body,
                   f"Statistics are of {num(begin)} to {num(end)} ms; what comes before is settling time.")


# ------------------------------------------------------------------------------------------------ signals -------

def compared_signals(results: Results) -> str:
    """Signals of the levels side by side, where several levels recorded the same probe."""
    body = ""
    for name in dict.fromkeys(s.name for tier in results.tiers for s in tier.signals):
        found = [(tier, s) for tier in results.tiers for s in tier.signals if s.name == name]
        if len(found) < 2:
            continue
        comparisons = [c for c in (results.signals or {}).get("comparisons", []) if c.get("probe") == name]
        errors = [e for e in (results.signals or {}).get("kernel_errors", []) if e.get("probe") == name]
        body += f"<h3>The levels side by side: <code>{esc(name)}</code></h3>"
        body += figure(signal_figures.signal_traces(found, results.window()), "Three channels, each without its mean, in the last half second of the "
                       "analysed time, in means over a millisecond.", "")
        body += figure(signal_figures.signal_spectra(found, results.window()), "Power spectra of the same channels. The coarser levels get their signals "
                       "from their spikes or rates through kernels of the detailed cells.", "The run is too short for spectra.")
        if comparisons or errors:
            body += figure(signal_figures.signal_channels(comparisons, errors), "Every channel. Left: standard deviation against the finer level's. "
                           "Middle: correlation with the finer level (line) and what a copy with its own chance would reach (dots). Right: error "
                           "of kernel signals from the detailed level's own spikes and from the point level's, measured (line) and predicted "
                           "from kernels and spikes alone (dots).", "")
    return body


def responses(results: Results) -> str:
    found = results.responses
    if not found:
        return ""
    pulse, step = found.get("pulse") or {}, found.get("step") or {}
    caption = (f'Mean rate over {num(found.get("repetitions"))} repetitions, in bins of {num(found.get("bin_ms"))} ms. Shaded: the drive is multiplied by '
               f'{num(pulse.get("factor"))} (pulse) and by {num(step.get("factor"))} (step).')
    return section("responses", "Responses", figure(figures.responses(found), caption, "No response was recorded."),
                   "How the levels answer to a brief pulse and to a step of their external drive.")


def signals(results: Results) -> str:
    found = [(tier, signal) for tier in results.tiers for signal in tier.signals]
    if not found:
        return ""
    body = compared_signals(results) + "".join(
        f"<h3>{signal_figures.SIGNAL_WORDS.get(signal.kind, signal.kind)} <code>{esc(signal.name)}</code>, {tier.title} level</h3>"
        + figure(signal_figures.signal(signal, tier.name), "Each channel without its median. A bar: one scale for all; numbers: the height of each channel "
                 "from its lowest to its highest point. Some channels where there are many, and the last second of a longer run.", "")
        for tier, signal in found)
    return section("signals", "Signals", body, "What electrodes and sensors would have measured.")


# --------------------------------------------------------------------------------------------- costs and method -------

def gigabytes(value) -> str:
    return f"{num(value / 1e6)} MB" if isinstance(value, (int, float)) and value else "–"


def count(value) -> str:
    return f"{value:,}" if isinstance(value, int) else "–"


def cost(results: Results) -> str:
    rows = [[t.title, seconds(t.duration_ms), num(t.run.get("dt_ms")) + " ms", count(t.run.get("threads")), num(t.run.get("setup_s")) + " s",
             num(t.run.get("wall_s")) + " s", num(t.run.get("realtime_factor")), count(t.run.get("cells")), count(t.run.get("compartments")),
             count(t.run.get("synapses")), count(t.run.get("spikes")), gigabytes(t.run.get("peak_memory_bytes"))] for t in results.tiers]
    head = ["level", "simulated", "dt", "threads", "setup", "run", "wall / simulated", "cells", "compartments", "synapses", "spikes", "memory"]
    body = figure(figures.timings(results), "", "Timings are unknown: no run.json could be read.")
    body += table(head, rows, "dense") if rows else ""
    return section("cost", "Cost", body)


def warnings(results: Results) -> str:
    """What the runs warned about, and what is missing in the folder."""
    texts: dict[str, None] = {}
    for tier in results.tiers:
        for warning in tier.run.get("warnings") or []:
            texts[esc(warning if isinstance(warning, str) else ", ".join(f"{k}: {v}" for k, v in warning.items() if v))] = None
    body = ("<ul>" + "".join(f"<li>{t}</li>" for t in texts) + "</ul>" if texts else "<p>The runs recorded no warnings about the input.</p>")
    if results.notes:
        body += "<h3>Missing from this folder</h3><ul>" + "".join(f"<li>{esc(n)}</li>" for n in results.notes) + "</ul>"
    return section("warnings", "Warnings and missing parts", body)


def method(results: Results) -> str:
    analysis = (results.consistency or {}).get("analysis") or {}
    cut = ""
    if analysis.get("blocks"):
        runs = f" of each of {analysis['runs']} runs with other noise" if (analysis.get("runs") or 1) > 1 else ""
        cut = (f" Here: {analysis['blocks']} blocks of {num(analysis.get('block_ms'))} ms{runs}, {analysis.get('replicates')} replicates, "
               f"{num(100 * (analysis.get('confidence') or 0))} % intervals, seed {analysis.get('seed')}.")
    body = f"""<dl>
<dt>Verdict</dt><dd>The interval of the difference is held against a tolerance. Wholly inside: consistent. Wholly outside: inconsistent.
Otherwise undecided; intervals shrink with the square root of the simulated time, which gives the time that would decide.</dd>
<dt>Interval</dt><dd>Block bootstrap over time: the run is cut into blocks, which are drawn anew with replacement, the same ones for all
levels, because they share their input. Cells are not redrawn: all levels simulate the same ones.{cut}</dd>
<dt>Mean rate</dt><dd>Spikes per cell and second.</dd>
<dt>CV of intervals</dt><dd>Standard deviation over mean of a cell's inter-spike intervals, averaged over cells with enough of them. 0: clockwork,
1: Poisson.</dd>
<dt>Rate distribution</dt><dd>Kolmogorov–Smirnov distance between the rates of single cells: the largest difference between the shares of cells
below a rate, corrected for counting noise.</dd>
<dt>Top 10 % share</dt><dd>Share of all spikes that the most active tenth of the cells fires.</dd>
<dt>Rate time course</dt><dd>Correlation of the population's rates in bins, compared with what a perfect copy with chance of its own would
reach, judged from the variance that the cells have in common. In 10 ms bins, divided by that: 1 is perfect.</dd>
<dt>Power</dt><dd>Power density of the population's rate in a band of frequencies, in decibels; 3 dB is a factor of two. A mean-field's rate has no
chance of its own; the noise of its cells' spikes is added, as the network filters it.</dd>
<dt>Pair correlations</dt><dd>Correlation of the spike counts of pairs of cells, the same pairs in both levels: their mean, the distance of their
distributions, and by how much near pairs are more correlated than far ones.</dd></dl>"""
    return section("method", "How to read this", body)


def build(results: Results, style: str) -> str:
    name = esc(circuit_name(results))
    versions = sorted({str(t.run["version"]) for t in results.tiers if t.run.get("version")})
    seeds = sorted({str(t.run["seed"]) for t in results.tiers if t.run.get("seed") is not None})
    meta = " · ".join(filter(None, ["triscale " + ", ".join(versions) if versions else "", "seed " + ", ".join(seeds) if seeds else ""]))
    sections = [summary(results), agreement(results), activity(results), responses(results), signals(results), derived_section.derivation(results), cost(results), warnings(results), method(results)]
    titles = {"summary": "In short", "agreement": "Agreement", "activity": "Activity", "responses": "Responses", "signals": "Signals",
              "derived": "Derived parameters", "cost": "Cost", "warnings": "Warnings", "method": "How to read this"}
    links = "".join(f'<a href="#{i}">{title}</a>' for i, title in titles.items() if any(f'<section id="{i}">' in s for s in sections))
    return f"""<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{name}: one circuit, {len(results.tiers)} level{'s' * (len(results.tiers) != 1)}</title><style>{style}</style></head>
<body><header><p class="eyebrow">One circuit, several resolutions</p><h1>{name}</h1><p class="meta">{esc(meta)}</p>
{headline(results)}<nav aria-label="Sections">{links}</nav></header>
<main>{''.join(sections)}</main></body></html>
"""
