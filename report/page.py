"""Puts a result folder into words, tables and pictures: the sections of index.html."""

from __future__ import annotations

import html
import re
from pathlib import Path

import derived
import figures
import signal_figures
from result_folder import Results, TIER_TITLES

ONE_SIDED = ("rate_correlation", "rate_correlation_10ms", "signal_correlation")  # a coarser level that follows better is no fault
STATISTICS = {"mean_rate": "mean rate", "cv_isi": "CV of intervals", "rate_distribution": "rate distribution",
              "top10_share": "top 10 % share", "silent_fraction": "silent cells",
              "rate_correlation": "rate time course", "rate_correlation_10ms": "time course, 10 ms",
              "power_below_15_hz": "power < 15 Hz", "power_15_to_40_hz": "power 15–40 Hz", "power_40_to_150_hz": "power 40–150 Hz",
              "pair_correlation": "pair correlation", "pair_correlation_distribution": "pair distribution",
              "pair_correlation_decay": "pair decay", "pulse_peak": "pulse peak", "pulse_area": "pulse size",
              "pulse_latency": "pulse latency", "step_peak": "step peak", "step_area": "step size", "step_latency": "step latency"}
RESPONSE_UNITS = {"peak": "Hz", "area": "spikes per cell", "latency": "ms"}
RESPONSE_WORDS = {"peak": "a peak", "area": "a size", "latency": "a latency"}
POWER_BANDS = {"below_15_hz": "below 15 Hz", "15_to_40_hz": "from 15 to 40 Hz", "40_to_150_hz": "from 40 to 150 Hz"}
SIGNAL_STATISTICS = {"signal_amplitude": "amplitude of the signal", "signal_correlation": "correlation of the signal",
                     "signal_spectrum": "spectrum of the signal"}
UNITS = {"mean_rate": " Hz"}
SYMBOLS = {"consistent": "✓", "inconsistent": "✗", "undecided": "?"}
HEADLINES = {"consistent": "The levels agree", "inconsistent": "The levels disagree",
             "undecided": "Not decided yet"}
MAX_FINDINGS = 6
COURSE_BIN_MS = 50.0

ADVICE = {
    "signal_amplitude": "Signals of the coarser levels come from spikes through kernels: look at the rates first, then at the error of the "
                        "kernels under the detailed level's own spikes (Signals, below).",
    "signal_correlation": "If the kernels' own error is small (Signals, below), the spikes differ in time between the levels; if it is "
                          "large, the kernels were derived about another state than the circuit is in.",
    "signal_spectrum": "Look at the spectra of the rates, and at how strongly cells fire together: kernels only filter what the spikes do.",
    "mean_rate": "Compare the operating point and validity range of the derived parameters (below) with the rate the population "
                 "really has. A derivation far from it extrapolates.",
    "cv_isi": "Irregularity depends on reset, refractoriness and adaptation. Look at the fit of these parameters, and at the "
              "fluctuations of the input they were fitted on.",
    "rate_distribution": "Single cells differ by input and by type. A level that gives all cells of a type one set of parameters "
                         "makes them too alike: look at how strongly the finer cells vary.",
    "top10_share": "A few cells carry too much or too little of the activity: look at the strongest inputs, and at the rates of "
                   "single cells (below).",
    "silent_fraction": "The levels disagree on which cells take part at all: look at cells with weak input, whose rate depends on "
                       "the tail of the threshold.",
    "rate_correlation": "The coarser level does not follow the same ups and downs. Compare the time courses below: a delay points "
                        "to synaptic or membrane time constants, a missing rhythm to the approximation itself.",
    "rate_correlation_10ms": "The coarser level follows the fast part of the input with a delay, or not at all: look at synaptic and membrane "
                             "time constants, and at how the level takes external spikes in.",
    "power_below_15_hz": "Slow fluctuations differ: adaptation, or input that the coarser level does not see spike by spike.",
    "power_15_to_40_hz": "A rhythm is stronger or weaker: it depends on delays and synaptic time constants of the loop that makes it.",
    "power_40_to_150_hz": "A fast rhythm is stronger or weaker: it depends on delays and synaptic time constants of the loop that makes it. "
                          "A mean-field without resonance lacks it.",
    "pair_correlation": "Cells share more or less of their fluctuations: look at common input, and at how regular the noise of the coarser "
                        "level makes them.",
    "pair_correlation_distribution": "Which cells fluctuate together differs: look at the spread of weights and of common input.",
    **{f"{stimulus}_{kind}": f"The response to a {stimulus} of the drive differs. A late or early one points to synaptic delays and time "
                             "constants, a large or small one to the gain: the slope of rate against input, and adaptation."
       for stimulus in ("pulse", "step") for kind in RESPONSE_UNITS},
    "pair_correlation_decay": "Correlation falls off with distance differently: look at the range of connections.",
}


def esc(value) -> str:
    return html.escape(str(value))


def num(value, digits: int = 3) -> str:
    if not isinstance(value, (int, float)):
        return "–"
    text = f"{value:.{digits}g}"
    if "e" in text and 1e-4 <= abs(value) < 1e7:
        text = f"{value:,.0f}" if abs(value) >= 1 else f"{value:.6f}"
    return text.replace("-", "−")


def signed(value, digits: int = 3) -> str:
    return ("+" if isinstance(value, (int, float)) and value > 0 else "") + num(value, digits)


def seconds(ms) -> str:
    return f"{num(ms / 1000.0)} s" if isinstance(ms, (int, float)) else "–"


def chip(verdict) -> str:
    verdict = verdict if verdict in SYMBOLS else "undecided"
    return f'<span class="chip {verdict}">{SYMBOLS[verdict]} {verdict}</span>'


def title_of(tier: str) -> str:
    return TIER_TITLES.get(tier, tier)


def section(identifier: str, title: str, body: str, lead: str = "") -> str:
    lead = f'<p class="lead">{lead}</p>' if lead else ""
    return f'<section id="{identifier}"><h2>{title}</h2>{lead}{body}</section>'


def figure(image: str, caption: str, missing: str) -> str:
    if not image:
        return f'<p class="missing">{missing}</p>'
    return f"<figure>{image}<figcaption>{caption}</figcaption></figure>"


def table(head: list[str], rows: list[list[str]], css: str = "") -> str:
    """Cells are HTML already; numbers stand in cells that begin with a digit or a sign and are set right."""
    def right(text: str) -> bool:
        return bool(re.match(r"^[+−±-]?\d|^–$", text)) and not re.search("<|, |; ", text)

    def cell(text: str) -> str:
        return f'<td class="n">{text}</td>' if right(text) else f"<td>{text}</td>"

    numeric = [bool(rows) and all(right(row[k]) or not row[k] for row in rows) for k in range(len(head))]
    header = "".join(f'<th scope="col"{" class=n" if n else ""}>{h}</th>' for h, n in zip(head, numeric))
    body = "".join("<tr>" + "".join(cell(c) for c in row) + "</tr>" for row in rows)
    return f'<div class="scroll"><table class="{css}"><thead><tr>{header}</tr></thead><tbody>{body}</tbody></table></div>'


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


def finding(check: dict) -> str:
    """One disagreement in words."""
    name, finer, coarser = esc(check["population"]), title_of(check["finer"]), title_of(check["coarser"])
    a, b, d = check.get("finer_value"), check.get("coarser_value"), check.get("difference")
    tolerance = num(check.get("tolerance"))
    interval = f"interval {signed(check.get('ci_low'))} to {signed(check.get('ci_high'))}; agreement means within ±{tolerance}"
    more = "more" if isinstance(d, (int, float)) and d > 0 else "less"
    text = {
        "mean_rate": f"fires at {num(b)} Hz in the {coarser} level and {num(a)} Hz in the {finer} one, {num(abs(d or 0))} Hz {more} "
                     f"({interval})",
        "cv_isi": f"fires {more} irregularly in the {coarser} level: CV {num(b)} in place of {num(a)} ({interval})",
        "rate_distribution": f"spreads its activity over the cells differently in the {coarser} level than in the {finer} one: "
                             f"distance {num(d)}, where {tolerance} still counts as agreement",
        "top10_share": f"has {num(100 * (b or 0))}&nbsp;% of its spikes from the most active 10 % of cells in the {coarser} level, "
                       f"{num(100 * (a or 0))}&nbsp;% in the {finer} one",
        "silent_fraction": f"has {num(100 * (b or 0))}&nbsp;% silent cells in the {coarser} level, {num(100 * (a or 0))}&nbsp;% in the "
                           f"{finer} one",
        "rate_correlation_10ms": f"follows its input less closely in the {coarser} level than in the {finer} one: correlation in 10 ms bins, "
                                 f"without chance, {num(b)}, where {num(1 - (check.get('tolerance') or 0))} is asked for",
        "pair_correlation": f"has pairs of cells that are {more} correlated in the {coarser} level: {num(b)} in place of {num(a)} ({interval})",
        "pair_correlation_distribution": f"spreads its correlations over pairs of cells differently in the {coarser} level: distance {num(d)}, "
                                         f"where {tolerance} still counts as agreement",
        "pair_correlation_decay": f"loses {more} correlation over distance in the {coarser} level: {num(b)} in place of {num(a)} ({interval})",
        **{f"power_{band}": f"has {num(abs(d or 0), 2)} dB {more} power {words} in the {coarser} level than in the {finer} one ({interval})"
           for band, words in POWER_BANDS.items()},
        **{f"{stimulus}_{kind}": f"answers a {stimulus} of the drive with {RESPONSE_WORDS[kind]} of {num(b)} {unit} in the {coarser} level, "
                                 f"{num(a)} {unit} in the {finer} one ({interval})"
           for stimulus in ("pulse", "step") for kind, unit in RESPONSE_UNITS.items()},
        "signal_amplitude": f"has an amplitude of {num(b)} in the {coarser} level and {num(a)} in the {finer} one at the channel that decides "
                            f"({interval})",
        "signal_correlation": f"does not follow the {finer} level's signal in the {coarser} one: correlation {num(b)} at the channel that "
                              f"decides, where {num(a)} can be expected",
        "signal_spectrum": f"differs by {signed(d)} dB in a band of its spectrum at the channel that decides ({interval})",
        "rate_correlation": f"rises and falls at other times in the {coarser} level than in the {finer} one: correlation {num(b)}, "
                            f"where {num(a)} can be expected",
    }.get(check["statistic"], f"differs in {esc(check['statistic'])} by {signed(d)} ({interval})")
    return f"<strong>{name}</strong> {text}."


def severity(check: dict) -> float:
    """Tolerances from agreement. Of a correlation only falling short counts."""
    d, t = check.get("difference"), check.get("tolerance")
    if not isinstance(d, (int, float)) or not t:
        return 0.0
    return (max(0.0, -d) if check["statistic"] in ONE_SIDED else abs(d)) / t


def pair_sentences(checks: list[dict]) -> list[str]:
    sentences = []
    for pair in dict.fromkeys((c["finer"], c["coarser"]) for c in checks):
        of_pair = [c for c in checks if (c["finer"], c["coarser"]) == pair]
        counts = {v: sum(c["verdict"] == v for c in of_pair) for v in SYMBOLS}
        parts = [f"{counts[v]} {v}" for v in SYMBOLS if counts[v]]
        sentences.append(f"<strong>{title_of(pair[0])} → {title_of(pair[1])}:</strong> of {len(of_pair)} comparisons, {', '.join(parts)}.")
    return sentences


def actions(results: Results, checks: list[dict]) -> list[str]:
    todo = []
    bad = [c for c in checks if c["verdict"] == "inconsistent"]
    for statistic, title in {**STATISTICS, **SIGNAL_STATISTICS}.items():
        concerned = list(dict.fromkeys(esc(c["population"]) for c in bad if c["statistic"] == statistic))
        if concerned:
            todo.append(f"<strong>{title[0].upper() + title[1:]}</strong> ({', '.join(concerned)}): {ADVICE[statistic]}")
    needed = (results.consistency or {}).get("needed_ms")
    if any(c["verdict"] == "undecided" for c in checks) and isinstance(needed, (int, float)):
        wanted = int(-(-needed // 1000) * 1000)
        todo.append(f"<strong>Undecided comparisons</strong>: run longer, about {seconds(wanted)} in all "
                    f"(<code>--duration-ms {wanted}</code>). That is for the slowest of them; the table below gives the time for each.")
    if any(c["verdict"] == "undecided" and c["statistic"].startswith(("pulse_", "step_")) for c in checks):
        todo.append("<strong>Undecided responses</strong>: repeat the stimuli more often (<code>--responses N</code>); the remarks in the table "
                    "below say how often.")
    if bad:
        todo.append("Derived parameters can be changed: edit <code>reduced.json</code> and run it again, without deriving anew.")
    if checks and not todo:
        todo.append("Nothing has to be done: the coarser levels may stand in for the finer ones, for this circuit and this input.")
    return todo


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

def checks_of(results: Results) -> list[dict]:
    checks = (results.consistency or {}).get("checks") or []
    wanted = {"statistic", "population", "finer", "coarser", "verdict"}
    return [c for c in checks if isinstance(c, dict) and wanted <= c.keys()]


def statistics_of(checks: list[dict]) -> list[str]:
    """Those that occur, in the order of STATISTICS; then what this page has no name for."""
    found = dict.fromkeys(c["statistic"] for c in checks)
    return [s for s in STATISTICS if s in found] + [s for s in found if s not in STATISTICS]


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
    known = [f"{esc(e['population'])} ±{num(e['rate_parameter_sd_hz'], 2)} Hz ({title_of(e['tier'])})"
             for e in (results.consistency or {}).get("tiers") or [] if e.get("rate_parameter_sd_hz") is not None]
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


# ------------------------------------------------------------------------------------------ derived parameters -------

def compared_signals(results: Results) -> str:
    """Signals of the levels side by side, where several levels recorded the same probe."""
    body = ""
    for name in dict.fromkeys(s.name for tier in results.tiers for s in tier.signals):
        found = [(tier, s) for tier in results.tiers for s in tier.signals if s.name == name]
        if len(found) < 2:
            continue
        comparisons = [c for c in (results.signals or {}).get("comparisons", []) if c.get("probe") == name]
        errors = [e for e in (results.signals or {}).get("kernel_errors", []) if e.get("probe") == name]
        body += f"<h3>{esc(name)}: the levels side by side</h3>"
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
        f"<h3>{esc(signal.name)}: {figures.SIGNAL_WORDS.get(signal.kind, signal.kind)}, {tier.title} level</h3>"
        + figure(figures.signal(signal), "Each channel without its median, all on one scale; some channels where there are many, and the last "
                 "second of a longer run.", "")
        for tier, signal in found)
    return section("signals", "Signals", body, "What electrodes and sensors would have measured.")


def mapping(values) -> str:
    if not isinstance(values, dict) or not values:
        return "–"
    def shown(value) -> str:
        return f"{num(value[0], 4)} to {num(value[1], 4)}" if isinstance(value, list) and len(value) == 2 else num(value, 4)
    return "<br>".join(f"{esc(k)} {shown(v)}" for k, v in values.items())


def derivation(results: Results) -> str:
    found = derived.descriptions(results.reduced)
    if not found:
        why = "There is no reduced.json" if results.reduced is None else "reduced.json holds no derived description"
        return section("derived", "Derived parameters", f'<p class="missing">{why}: nothing to show.</p>')
    body = ""
    for kind, level in (("cell", "point"), ("cell", "meanfield"), ("synapse", "point"), ("synapse", "meanfield")):
        group = [d for d in found if d.kind == kind and d.level == level]
        if not group:
            continue
        rows = [[esc(d.name), esc(d.provenance.get("method", "–")), mapping(d.provenance.get("fit_error")),
                 mapping(d.provenance.get("operating_point")), mapping(d.provenance.get("validity_range")),
                 mapping(d.provenance.get("uncertainty")), "<br>".join(esc(n) for n in d.provenance.get("notes") or []) or "–"] for d in group]
        head = ["type", "method", "fit error on unseen input", "operating point", "valid for", "standard error", "remarks"]
        content = table(head, rows, "dense") + "<h4>Parameters</h4>" + parameter_table(group)
        if kind == "cell":
            body += f"<h3>{derived.LEVELS[level]} cells</h3>" + content
            if level == "meanfield":
                body += figure(figures.transfer_functions(derived.transfer_functions(found)),
                               "Rate against mean membrane potential at three strengths of its fluctuation, over the fitted range, at the "
                               "reference time constant.", "No transfer functions to draw.")
        else:
            body += f"<details><summary>{derived.LEVELS[level]} synapses ({len(group)})</summary>{content}</details>"
    return section("derived", "Derived parameters", body,
                   "What the bridges made of the finer description, how well it fits input that the fit has not seen, and where it may be "
                   "trusted. All of it stands in <code>reduced.json</code>, can be edited there and run again.")


def parameter_table(group: list[derived.Description]) -> str:
    keys = list(dict.fromkeys(key for d in group for key, _ in d.parameters))
    if len(group) > 8:  # many types: a row each
        rows = [[esc(d.name)] + [esc(dict(d.parameters).get(key, "–")) for key in keys] for d in group]
        return table(["type"] + [esc(k) for k in keys], rows, "dense")
    rows = [[f"<code>{esc(key)}</code>"] + [esc(dict(d.parameters).get(key, "–")) for d in group] for key in keys]
    return table(["parameter"] + [esc(d.name) for d in group], rows, "dense params")


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
    sections = [summary(results), agreement(results), activity(results), responses(results), signals(results), derivation(results), cost(results), warnings(results), method(results)]
    links = "".join(f'<a href="#{i}">{t}</a>' for i, t in (
        ("summary", "In short"), ("agreement", "Agreement"), ("activity", "Activity"), ("derived", "Derived parameters"), ("cost", "Cost"),
        ("warnings", "Warnings"), ("method", "How to read this")))
    return f"""<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{name}: one circuit, {len(results.tiers)} level{'s' * (len(results.tiers) != 1)}</title><style>{style}</style></head>
<body><header><p class="eyebrow">One circuit, several resolutions</p><h1>{name}</h1><p class="meta">{esc(meta)}</p>
{headline(results)}<nav aria-label="Sections">{links}</nav></header>
<main>{''.join(sections)}</main></body></html>
"""
