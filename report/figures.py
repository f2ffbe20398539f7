"""Figures of the report. Each function returns an <img> with the picture inside (SVG), or "" if there is nothing to draw."""

from __future__ import annotations

import math

import numpy as np
from drawing import FAINT, INK, TIER_DASHES, TIER_MARKERS, VERDICT_COLOURS, colour, grid, legend, picture, plt
from result_folder import TIER_TITLES, Results

MAX_CELLS_OF_POPULATION = 120  # in a raster
MAX_RASTER_MS = 3000.0
MAX_COURSE_MS = 5000.0
SPECTRUM_BIN_MS = 2.0
NORMAL_95 = 1.96  # standard deviations


def rasters(results: Results) -> str:
    tiers = [t for t in results.tiers if any(p.spikes is not None for p in t.populations.values())]
    if not tiers:
        return ""
    end = max(t.duration_ms for t in tiers) or max(
        (p.spikes[0].max() for t in tiers for p in t.populations.values() if p.spikes is not None and len(p.spikes[0])),
        default=0.0)
    begin = max(0.0, end - MAX_RASTER_MS)
    sizes = {}
    for name in results.populations():
        cells = max((t.populations[name].cells for t in tiers if name in t.populations), default=0)
        if cells:
            sizes[name] = min(cells, MAX_CELLS_OF_POPULATION)
    height = min(7.0, 1.2 + 0.014 * sum(sizes.values()) + 0.2 * len(sizes))
    figure, axes = plt.subplots(1, len(tiers), figsize=(9.6, height), sharey=True, squeeze=False, layout="constrained")
    for axis, tier in zip(axes[0], tiers):
        ticks, labels, base = [], [], 0
        for k, (name, shown) in enumerate(sizes.items()):
            axis.axhspan(base, base + shown, color="#f3f6f9" if k % 2 == 0 else "white", lw=0)
            ticks.append(base + shown / 2)
            labels.append(name)
            population = tier.populations.get(name)
            if population is not None and population.spikes is not None and population.cells:
                times, cells = population.spikes
                # Of a large population every n-th cell, the same ones in all levels.
                row = cells * shown // population.cells
                first = -(-row * population.cells // shown)
                keep = (times >= begin) & (first == cells)
                axis.plot(times[keep], base + row[keep] + 0.5, "|", ms=max(1.6, min(4, 260 / max(1, sum(sizes.values())))), mew=0.7,
                          color=colour(tier.name), rasterized=True)
            base += shown
        axis.set(title=tier.title, xlabel="time (ms)", xlim=(begin, end or 1), ylim=(base, 0))
        axis.set_yticks(ticks, labels)
        axis.tick_params(axis="y", length=0)
    return picture(figure, "Spike rasters of " + " and ".join(t.title for t in tiers)
                   + ", side by side: a mark is a spike, a row is a cell, grouped by population, same cells in the same rows.")


def levels(results: Results) -> str:
    """Mean rates and CVs of all populations in all tiers, with intervals."""
    summaries = {(e.get("tier"), e.get("population")): e for e in (results.consistency or {}).get("tiers") or []}
    names = results.populations()
    if not names:
        return ""
    figure, axes = plt.subplots(1, 2, figsize=(9.6, 1.2 + 0.42 * len(names)), sharey=True, layout="constrained")
    panels = (("rate_hz", "rate_ci_low", "rate_ci_high", "mean rate (Hz)"), ("cv_isi", "cv_ci_low", "cv_ci_high",
                                                                              "CV of intervals (1: Poisson)"))
    words = []
    for axis, (value_key, low_key, high_key, label) in zip(axes, panels):
        for k in range(0, len(names), 2):
            axis.axhspan(k - 0.5, k + 0.5, color="#f3f6f9", lw=0)
        for t, tier in enumerate(results.tiers):
            for k, name in enumerate(names):
                summary = summaries.get((tier.name, name)) or {}
                population = tier.populations.get(name)
                value = summary.get(value_key)
                if value is None and population is not None:
                    value = getattr(population, value_key)
                if value is None:
                    continue
                y = k + (t - (len(results.tiers) - 1) / 2) * 0.24
                low, high = summary.get(low_key), summary.get(high_key)
                if low is not None and high is not None:
                    axis.plot([low, high], [y, y], color=colour(tier.name), lw=2, solid_capstyle="butt")
                sd_hz = results.rate_parameter_sd_hz(tier, name) if value_key == "rate_hz" else None
                if sd_hz is not None:
                    axis.barh(y, 2 * NORMAL_95 * sd_hz, 0.16, left=value - NORMAL_95 * sd_hz, color=colour(tier.name), alpha=0.3)
                axis.plot(value, y, TIER_MARKERS.get(tier.name, "o"), color=colour(tier.name), ms=5.5, mec="white", mew=0.6)
                if value_key == "rate_hz":
                    known = f" (known to {sd_hz:.2g} Hz by its parameters)" if sd_hz is not None else ""
                    words.append(f"{name} {tier.title} {value:.3g} Hz{known}")
        axis.set(xlabel=label, ylim=(len(names) - 0.5, -0.5))
        if value_key == "cv_isi":
            axis.axvline(1, color="#8b97a5", lw=0.8)
        axis.set_xlim(0, max(axis.dataLim.x1, 1e-3) * 1.08)
        axis.grid(axis="x", color=FAINT, lw=0.6)
        axis.set_axisbelow(True)
        axis.set_yticks(range(len(names)), names)
        axis.tick_params(axis="y", length=0)
    handles = [plt.Line2D([], [], color=colour(t.name), marker=TIER_MARKERS.get(t.name, "o"), lw=2, label=t.title)
               for t in results.tiers]
    figure.legend(handles=handles, loc="lower right", bbox_to_anchor=(1, 1), ncols=len(handles))
    return picture(figure, "Mean rates and irregularity of every population in every level, with intervals: " + "; ".join(words))


def time_courses(results: Results, bin_ms: float) -> str:
    end = results.window()[1]
    begin = max(0.0, end - MAX_COURSE_MS)
    names = [n for n in results.populations()
             if any(t.populations.get(n) and t.populations[n].rate_course(begin, end, bin_ms) for t in results.tiers)]
    if not names:
        return ""
    figure, axes = plt.subplots(len(names), 1, figsize=(9.6, 0.7 + 1.15 * len(names)), sharex=True, squeeze=False,
                                layout="constrained")
    for axis, name in zip(axes[:, 0], names):
        for tier in results.tiers:
            population = tier.populations.get(name)
            course = population.rate_course(begin, end, bin_ms) if population else None
            if course is not None:
                axis.plot(*course, color=colour(tier.name), lw=1.3, ls=TIER_DASHES.get(tier.name, "-"), alpha=0.9)
        axis.set(xlim=(begin, end), ylabel="Hz")
        axis.set_ylim(bottom=0)
        axis.set_title(name, fontsize=9)
    axes[-1, 0].set_xlabel("time (ms)")
    legend(figure, results.tiers)
    return picture(figure, f"Rate of every population against time in bins of {bin_ms:g} ms, all levels overlaid: " + ", ".join(names))


def responses(found: dict) -> str:
    """r(t) of every population, averaged over the repetitions; the stimuli are shaded."""
    courses = [r for r in found.get("responses") or [] if r.get("rate_hz")]
    names = list(dict.fromkeys(r["population"] for r in courses))
    if not names:
        return ""
    figure, axes = grid(len(names), height=2.2)
    bin_ms = float(found["bin_ms"])
    for axis, name in zip(axes, names):
        for stimulus in (found.get("pulse"), found.get("step")):
            if stimulus:
                axis.axvspan(stimulus["begin_ms"], stimulus["end_ms"], color="#eef1f5", lw=0)
        for course in courses:
            if course["population"] == name:
                hz = np.asarray(course["rate_hz"], dtype=float)
                axis.plot(bin_ms * (np.arange(len(hz)) + 0.5), hz, color=colour(course["tier"]), lw=1.3,
                          ls=TIER_DASHES.get(course["tier"], "-"), label=TIER_TITLES.get(course["tier"], course["tier"]))
        axis.set_title(name, fontsize=9)
        axis.set(xlabel="time in the cycle (ms)", ylabel="Hz")
        axis.set_ylim(bottom=0)
    axes[0].legend(fontsize=7)
    return picture(figure, "Mean response of every population to a pulse and a step of the drive, all levels overlaid: " + ", ".join(names))


def distributions(results: Results) -> str:
    begin, end = results.window()
    rates = {n: {t.name: r for t in results.tiers if n in t.populations
                 for r in [t.populations[n].rates_of_cells(begin, end)] if r is not None and len(r)}
             for n in results.populations()}
    names = [n for n in rates if rates[n]]
    if not names:
        return ""
    figure, axes = grid(len(names))
    for axis, name in zip(axes, names):
        for tier in results.tiers:
            values = rates[name].get(tier.name)
            if values is not None:
                ordered = np.sort(values)
                axis.step(np.concatenate(([ordered[0]], ordered)), np.linspace(0, 1, len(ordered) + 1), where="post",
                          color=colour(tier.name), lw=1.6, ls=TIER_DASHES.get(tier.name, "-"))
            elif tier.name == "meanfield" and name in tier.populations:
                course = tier.populations[name].rate_course(begin, end, max(end - begin, 1e-9))
                if course is not None:
                    axis.axvline(course[1][0], color=colour(tier.name), lw=1.6, ls=TIER_DASHES["meanfield"])
        axis.set(title=name, xlabel="rate of a cell (Hz)", ylim=(0, 1.02))
    axes[0].set_ylabel("share of cells below")
    legend(figure, results.tiers)
    return picture(figure, "Cumulative distribution of single-cell rates in every level, for " + ", ".join(names)
                   + ". A vertical line is a level that gives all cells one rate.")


def welch(rates_hz: np.ndarray, bin_ms: float, segment: int) -> tuple[np.ndarray, np.ndarray]:
    """One-sided power spectral density, Hann windows that overlap by half; its integral is the variance."""
    segment = max(2, min(segment, len(rates_hz)))
    window = np.hanning(segment + 2)[1:-1]
    starts = range(0, len(rates_hz) - segment + 1, max(1, segment // 2))
    pieces = np.array([window * (rates_hz[s:s + segment] - rates_hz.mean()) for s in starts])
    power = (np.abs(np.fft.rfft(pieces, axis=1)) ** 2).mean(axis=0) * 2 * bin_ms / 1000.0 / (window ** 2).sum()
    return np.fft.rfftfreq(segment, bin_ms / 1000.0), power


def spectra(results: Results) -> str:
    begin, end = results.window()
    segment = int(min(1000.0, (end - begin) / 4) / SPECTRUM_BIN_MS)
    names = results.populations()
    if not names or segment < 25:
        return ""
    figure, axes = grid(len(names))
    drawn = False
    for axis, name in zip(axes, names):
        for tier in results.tiers:
            population = tier.populations.get(name)
            if population is None or population.spikes is None and population.rates is not None and (
                    len(population.rates[0]) < 2 or np.median(np.diff(population.rates[0])) > 2 * SPECTRUM_BIN_MS):
                continue  # a rate stored in coarse bins says nothing about high frequencies
            course = population.rate_course(begin, end, SPECTRUM_BIN_MS)
            if course is None or not np.ptp(course[1]) > 0:
                continue
            frequency, power = welch(course[1], SPECTRUM_BIN_MS, segment)
            chosen = (frequency > 0) & (frequency <= 200)
            axis.loglog(frequency[chosen], power[chosen], color=colour(tier.name), lw=1.3, ls=TIER_DASHES.get(tier.name, "-"))
            if tier.name != "meanfield":
                drawn = True
        # A smooth mean-field has next to no power at high frequencies; the picture is about what spikes can show.
        powers = np.concatenate([line.get_ydata() for line in axis.lines if line.get_linestyle() == "-"] or [[]])
        if len(powers) and powers.max() > 0:
            axis.set_ylim(max(powers.min(), powers.max() * 1e-6) / 5, powers.max() * 3)
        axis.set(title=name, xlabel="frequency (Hz)")
    axes[0].set_ylabel("power (Hz²/Hz)")
    legend(figure, results.tiers)
    if not drawn:
        plt.close(figure)
        return ""
    return picture(figure, "Power spectra of the population rates in every level, for " + ", ".join(names))


def forest(results: Results, statistic_titles: dict[str, str]) -> str:
    """Every difference with its interval, in units of its tolerance."""
    checks = [c for c in (results.consistency or {}).get("checks") or [] if c.get("difference") is not None]
    checks = [c for c in checks if c.get("tolerance")]
    pairs = list(dict.fromkeys((c["finer"], c["coarser"]) for c in checks))
    if not pairs:
        return ""
    limit = 3.0
    rows = {pair: [c for s in statistic_titles for c in checks if (c["finer"], c["coarser"]) == pair and c["statistic"] == s]
            for pair in pairs}
    longest = max(len(r) for r in rows.values())
    figure, axes = plt.subplots(1, len(pairs), figsize=(9.6, 1.3 + 0.2 * longest), squeeze=False, layout="constrained")
    for axis, pair in zip(axes[0], pairs):
        axis.axvspan(-1, 1, color="#e3f1ec", lw=0)
        axis.axvline(0, color="#8b97a5", lw=0.8)
        labels = []
        for k, check in enumerate(rows[pair]):
            scale = 1 / check["tolerance"]
            c = VERDICT_COLOURS.get(check.get("verdict"), INK)
            if check.get("ci_low") is not None and check.get("ci_high") is not None:
                axis.plot(np.clip([check["ci_low"] * scale, check["ci_high"] * scale], -limit, limit), [k, k], color=c, lw=2.2,
                          solid_capstyle="butt")
            value = check["difference"] * scale
            marker = "<" if value < -limit else ">" if value > limit else {"consistent": "o", "inconsistent": "X"}.get(
                check.get("verdict"), "d")
            axis.plot(np.clip(value, -limit, limit), k, marker, color=c, ms=6, mec="white", mew=0.5, clip_on=False, zorder=3)
            previous = rows[pair][k - 1]["statistic"] if k else None
            if previous not in (None, check["statistic"]):
                axis.axhline(k - 0.5, color=FAINT, lw=0.8)
            labels.append(f'{statistic_titles[check["statistic"]]} · {check["population"]}')
        axis.set_yticks(range(len(labels)), labels, fontsize=8)
        axis.tick_params(axis="y", length=0)
        axis.set(xlim=(-limit * 1.05, limit * 1.05), ylim=(longest - 0.5, -0.5), xlabel="difference / tolerance",
                 title=f"{pair[0]} → {pair[1]}")
    worst = sorted((c for c in checks if c.get("verdict") == "inconsistent"), key=lambda c: -abs(c["difference"]) / c["tolerance"])
    told = "; ".join(f'{c["statistic"]} of {c["population"]} ({c["finer"]} to {c["coarser"]})' for c in worst[:8]) or "none"
    return picture(figure, "All differences with intervals, in units of their tolerance; the shaded band means agreement. "
                   "Inconsistent: " + told)


def timings(results: Results) -> str:
    tiers = [t for t in results.tiers if isinstance(t.run.get("wall_s"), (int, float))]
    if not tiers:
        return ""
    figure, axis = plt.subplots(figsize=(9.6, 0.6 + 0.34 * len(tiers)), layout="constrained")
    for k, tier in enumerate(tiers):
        setup, wall = float(tier.run.get("setup_s") or 0), float(tier.run["wall_s"])
        axis.barh(k, max(wall, 1e-4), color=colour(tier.name), height=0.6)
        axis.text(max(wall, 1e-4) * 1.08, k, f"{wall:.3g} s" + (f" + {setup:.2g} s setup" if setup else ""), va="center", fontsize=9)
    axis.set_xscale("log")
    walls = [max(float(t.run["wall_s"]), 1e-4) for t in tiers]
    axis.set_xlim(min(walls) / 3, max(walls) * 8)
    axis.set_yticks(range(len(tiers)), [t.title for t in tiers])
    axis.tick_params(axis="y", length=0)
    axis.invert_yaxis()
    axis.set_xlabel("wall time of the run (s, logarithmic)")
    return picture(figure, "Wall time of each level: " + ", ".join(f"{t.title} {float(t.run['wall_s']):.3g} s" for t in tiers))


def transfer_functions(transfers: dict[str, dict]) -> str:
    """Rate against mean membrane potential for three strengths of fluctuation, of every derived mean-field cell."""
    usable = {}
    for name, f in transfers.items():
        try:
            usable[name] = [(sigma, *_transfer_curve(f, sigma)) for sigma in _sigmas(f)]
        except (KeyError, TypeError, ValueError, ZeroDivisionError, IndexError):
            continue
    if not usable:
        return ""
    figure, axes = grid(len(usable))
    for axis, (name, curves) in zip(axes, usable.items()):
        for (sigma, mu, hz), shade in zip(curves, ("#8fd3bf", "#009E73", "#00513b")):
            axis.plot(mu, hz, color=shade, lw=1.6, label=f"σ = {sigma:.2g} mV")
        axis.set(title=name, xlabel="mean potential (mV)")
        axis.set_ylim(bottom=0)
        axis.legend(fontsize=7.5)
    axes[0].set_ylabel("rate (Hz)")
    return picture(figure, "Fitted transfer functions, rate against mean membrane potential, for " + ", ".join(usable))


def _range(f: dict, key: str, fallback: tuple[float, float]) -> tuple[float, float]:
    low, high = f.get(key) or (1, 0)
    return (low, high) if low < high else fallback


def _sigmas(f: dict):
    low, high = _range(f, "fitted_sigma_mV", (f["sigma_0_mV"] - 0.5 * f["d_sigma_mV"], f["sigma_0_mV"] + 0.5 * f["d_sigma_mV"]))
    return np.linspace(max(low, 0.3), high, 3)


def _transfer_curve(f: dict, sigma: float):
    low, high = _range(f, "fitted_mu_mV", (f["mu_0_mV"] - 1.5 * f["d_mu_mV"], f["mu_0_mV"] + 1.5 * f["d_mu_mV"]))
    mu = np.linspace(low, high, 150)
    tau = f["tau_0"]
    tau_ms = tau * f["C_m_nF"] / f["g_L_uS"]
    m, s, t = (mu - f["mu_0_mV"]) / f["d_mu_mV"], (sigma - f["sigma_0_mV"]) / f["d_sigma_mV"], 0.0
    P = f["P_mV"]
    v_eff = (P[0] + P[1] * m + P[2] * s + P[3] * t + P[4] * m * m + P[5] * s * s + P[6] * t * t + P[7] * m * s + P[8] * m * t
             + P[9] * s * t)
    rate_khz = np.array([math.erfc(x) for x in (v_eff - mu) / (math.sqrt(2) * sigma)]) / (2 * tau_ms)
    if f.get("t_ref_ms", 0) > 0:
        rate_khz = np.minimum(rate_khz, 1 / f["t_ref_ms"])
    return mu, 1000 * rate_khz
