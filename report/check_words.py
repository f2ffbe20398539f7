"""What the checks of consistency say, in words: names, findings, what to do about them."""

from __future__ import annotations

from markup import SYMBOLS, esc, num, seconds, signed, title_of
from result_folder import Results

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


def checks_of(results: Results) -> list[dict]:
    checks = (results.consistency or {}).get("checks") or []
    wanted = {"statistic", "population", "finer", "coarser", "verdict"}
    return [c for c in checks if isinstance(c, dict) and wanted <= c.keys()]


def statistics_of(checks: list[dict]) -> list[str]:
    """Those that occur, in the order of STATISTICS; then what this page has no name for."""
    found = dict.fromkeys(c["statistic"] for c in checks)
    return [s for s in STATISTICS if s in found] + [s for s in found if s not in STATISTICS]
