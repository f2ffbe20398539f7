"""Pictures of signals: of one level, and of several levels: traces, spectra, and what agrees channel by channel."""

from __future__ import annotations

import math

import numpy as np
from drawing import FAINT, INK, TIER_DASHES, colour, legend, picture, plt
from figures import welch

INTERVAL_MS = 1.0
SHOWN_CHANNELS = 3
TRACE_MS = 500.0
LONGEST_SEGMENT_MS = 500.0
HIGHEST_HZ = 300.0
SIGNAL_WORDS = {"ecp": "extracellular potential", "csd": "current source density", "dipole": "current dipole moment",
                "eeg": "EEG", "meg": "magnetic field"}
MAX_SIGNAL_MS = 1000.0
MAX_SIGNAL_POINTS = 2000  # of a trace
MOST_UNEQUAL = 5.0  # largest over smallest channel that one scale can show


def _thinned(times, trace):
    """Least and largest value of stretches of equal length, so that no spike is lost."""
    stretch = -(-len(trace) // (MAX_SIGNAL_POINTS // 2))
    if stretch < 2:
        return times, trace
    rows = len(trace) // stretch
    parts = trace[: rows * stretch].reshape(rows, stretch)
    return np.repeat(times[: rows * stretch : stretch], 2), np.stack([parts.min(1), parts.max(1)], axis=1).ravel()


def amount(value: float, unit: str) -> str:
    """A size with its unit, in the prefix that keeps the number short: 0.0002 mV is 0.2 µV."""
    if unit.startswith("mV") and 0 < value < 0.1:
        for prefix, factor in (("µ", 1e3), ("n", 1e6), ("p", 1e9)):
            if value * factor > 0.0999 or prefix == "p":
                return f"{value * factor:.2g} {prefix}{unit[1:]}"
    return f"{value:.2g} {unit}" if value < 100 else f"{value:.0f} {unit}"


def signal(found, tier: str) -> str:
    """One trace a channel, one below the other, the last second. All on one scale, unless some would be flat lines then:
    each has its own height, which stands beside it."""
    late = found.times_ms >= found.times_ms[-1] - MAX_SIGNAL_MS
    times, data = found.times_ms[late], found.data[late]
    data = data - np.median(data, axis=0)
    heights = np.ptp(data, axis=0)
    own_scales = bool(heights.min() < heights.max() / MOST_UNEQUAL)
    scale = np.where(heights > 0, heights, 1.0) if own_scales else np.full(len(heights), float(heights.max()) or 1.0)
    channels = data.shape[1]
    figure, axes = plt.subplots(figsize=(9.6, min(7.5, 1.3 + 0.24 * channels)), layout="constrained")
    for c in range(channels):
        x, y = _thinned(times, data[:, c] / scale[c])
        axes.plot(x, y - 1.2 * c, color=colour(tier), lw=0.7)
    places = [-1.2 * c for c in range(channels)]
    axes.set_yticks(places, found.labels, fontsize=8)
    axes.set_ylim(-1.2 * (channels - 0.3), 0.84)
    axes.set_xlim(times[0], times[-1] if len(times) > 1 else times[0] + 1)
    axes.set_xlabel("time (ms)")
    axes.set_ylabel("channel")
    at = times[0] + 1.01 * (times[-1] - times[0])
    if own_scales:
        for place, height in zip(places, heights):
            axes.text(at, place, amount(float(height), found.unit), va="center", fontsize=8, clip_on=False)
    else:
        size = float(scale[0])
        bar = 10.0 ** math.floor(math.log10(size))
        bar *= max(k for k in (1, 2, 5) if k * bar <= size)
        axes.plot([at, at], [0, -bar / size], color=INK, lw=2, clip_on=False)
        axes.text(at, -bar / size / 2, f"  {amount(bar, found.unit)}", va="center", fontsize=8, clip_on=False)
    return picture(figure, f"{SIGNAL_WORDS.get(found.kind, found.kind)} of {found.name}: {channels} channels against time")


def _averaged(signal, window) -> tuple[np.ndarray, np.ndarray, float]:
    """Times, values and interval, in means over a millisecond, within the analysed time."""
    dt = float(signal.times_ms[1] - signal.times_ms[0]) if len(signal.times_ms) > 1 else INTERVAL_MS
    together = max(1, round(INTERVAL_MS / dt))
    inside = (signal.times_ms >= window[0]) & (signal.times_ms < window[1])
    data, times = signal.data[inside], signal.times_ms[inside]
    rows = len(data) // together
    data = data[: rows * together].reshape(rows, together, data.shape[1]).mean(1)
    return times[: rows * together : together], data - data.mean(0), dt * together


def _channels(signal) -> list[int]:
    """First, middle and last of those with the largest signal kept: a few that differ."""
    count = signal.data.shape[1]
    return sorted({round(x) for x in np.linspace(0, count - 1, min(SHOWN_CHANNELS, count))})


def signal_traces(found, window) -> str:
    channels = _channels(found[0][1])
    figure, axes = plt.subplots(len(channels), 1, figsize=(9.6, 0.6 + 1.4 * len(channels)), sharex=True, squeeze=False,
                                layout="constrained")
    for tier, signal in found:
        times, data, _ = _averaged(signal, window)
        if len(times) == 0:
            continue
        late = times >= times[-1] - TRACE_MS
        for axis, channel in zip(axes[:, 0], channels):
            axis.plot(times[late], data[late, channel], color=colour(tier.name), ls=TIER_DASHES.get(tier.name, "-"), lw=1)
            axis.set_title(f"channel {signal.labels[channel]}", fontsize=8)
            axis.set_ylabel(signal.unit, fontsize=8)
    axes[-1, 0].set_xlabel("time (ms)")
    legend(figure, [tier for tier, _ in found])
    return picture(figure, f"traces of {found[0][1].name} at {len(channels)} channels, {len(found)} levels on top of each other")


def signal_spectra(found, window) -> str:
    channels = _channels(found[0][1])
    figure, axes = plt.subplots(1, len(channels), figsize=(9.6, 2.6), squeeze=False, layout="constrained")
    for tier, signal in found:
        _, data, dt = _averaged(signal, window)
        if len(data) < 64:
            plt.close(figure)
            return ""
        for axis, channel in zip(axes[0], channels):
            hz, power = welch(data[:, channel], dt, int(LONGEST_SEGMENT_MS / dt))
            shown = (hz > 0) & (hz <= HIGHEST_HZ) & (power > 0)
            axis.loglog(hz[shown], power[shown], color=colour(tier.name), ls=TIER_DASHES.get(tier.name, "-"), lw=1.2)
            axis.set_title(f"channel {signal.labels[channel]}", fontsize=8)
            axis.set_xlabel("frequency (Hz)")
    axes[0, 0].set_ylabel(f"({found[0][1].unit})²/Hz")
    legend(figure, [tier for tier, _ in found])
    return picture(figure, f"power spectra of {found[0][1].name} at {len(channels)} channels")


def signal_channels(comparisons: list[dict], errors: list[dict]) -> str:
    """Ratio of amplitudes, correlation, and measured against predicted error, against the number of the channel."""
    figure, axes = plt.subplots(1, 3, figsize=(9.6, 2.8), layout="constrained")
    for comparison in comparisons:
        label = f'{comparison["finer"]} → {comparison["coarser"]}'
        line = colour(comparison["coarser"])
        amplitude, correlation = comparison.get("amplitude", []), comparison.get("correlation", [])
        axes[0].plot([v["channel"] for v in amplitude], [v["coarser"] / v["finer"] if v["finer"] else np.nan for v in amplitude], "-", color=line, lw=1.4, label=label)
        axes[1].plot([v["channel"] for v in correlation], [v["coarser"] for v in correlation], "-", color=line, lw=1.4, label=label)
        axes[1].plot([v["channel"] for v in correlation], [v["finer"] for v in correlation], ".", color=line, ms=4)
    axes[0].axhspan(0.8, 1.25, color="#e3f1ec", lw=0)
    axes[0].set(title="amplitude, relative", xlabel="channel")
    axes[1].axhline(0, color=FAINT, lw=0.8)
    axes[1].set(title="correlation", xlabel="channel", ylim=(-0.3, 1.05))
    for error in errors:
        for kind, mark in (("cell_kernels", "-"), ("population_kernels", "--")):
            part = error.get(kind, {})
            if not part.get("measured"):
                continue
            axes[2].plot(part["measured"], mark, color=INK, lw=1.4, label=f'{kind.split("_")[0]} kernels')
            axes[2].plot(part["predicted"], "." if mark == "-" else "x", color=INK, ms=4)
        part = error.get("point_tier", {})
        if part.get("measured"):
            axes[2].plot(part["measured"], "-", color=colour("point"), lw=1.4, label="point level's spikes")
            axes[2].plot(part["predicted"], ".", color=colour("point"), ms=4)
    axes[2].set(title="error of kernel signals, relative", xlabel="channel", ylim=(0, None))
    for axis in axes:
        if axis.get_legend_handles_labels()[0]:
            axis.legend(fontsize=7)
    return picture(figure, "amplitude, correlation and kernel error of every channel")
