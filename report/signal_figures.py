"""Pictures of signals that several levels have: traces, spectra, and what agrees channel by channel."""

from __future__ import annotations

import numpy as np
from figures import FAINT, INK, TIER_DASHES, _legend, colour, picture, plt, welch

INTERVAL_MS = 1.0
SHOWN_CHANNELS = 3
TRACE_MS = 500.0
LONGEST_SEGMENT_MS = 500.0
HIGHEST_HZ = 300.0


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
    _legend(figure, [tier for tier, _ in found])
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
    _legend(figure, [tier for tier, _ in found])
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
