#!/usr/bin/env python3
"""Draws what `triscale analyse` found: DIR/analysis.json -> DIR/analysis.html, one self-contained page.

Exit codes: 0 done, 2 nothing to draw or the page cannot be written.
"""

from __future__ import annotations

import html
import json
import sys
from pathlib import Path


def table(header: list[str], rows: list[list[str]]) -> str:
    head = "".join(f"<th>{html.escape(cell)}</th>" for cell in header)
    body = "".join("<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<table><tr>{head}</tr>{body}</table>"


def number(value, digits: int = 4) -> str:
    return "-" if value is None else f"{value:.{digits}g}"


def states(data: dict) -> str:
    header = ["population"]
    for k, state in enumerate(data["states"]):
        outside = ", outside the fitted range" if state["extrapolated_share"] > 0.5 else ""
        header.append(f"state {k + 1}, {'stable' if state['stable'] else 'unstable'}{outside} (Hz)")
    rows = [[name] + [number(state["rates_hz"][i], 6) for state in data["states"]] for i, name in enumerate(data["populations"])]
    bands = data.get("rate_parameter_sd_hz")
    if bands:
        header.append(f"standard deviation of state {int(data['chosen_state']) + 1} by the derived parameters (Hz)")
        rows = [row + [number(sd, 2)] for row, sd in zip(rows, bands)]
    leading = []
    for k, state in enumerate(data["states"]):
        for mode in state["modes"][:3]:
            leading.append([str(k + 1), number(mode["growth_per_s"]), number(mode["frequency_hz"])])
    text = "" if data["search_consistent"] else "<p>The signs of the states do not add up: at least one state was missed.</p>"
    modes = table(["state", "growth (1/s)", "frequency (Hz)"], leading) if leading else "<p>No slow mode.</p>"
    return f"<h2>Stationary states</h2>{table(header, rows)}{text}<h2>Leading modes</h2>{modes}"


def validity(data: dict) -> str:
    if not data["validity"]:
        return "<h2>Validity</h2><p>No assumption of the theory is in doubt here.</p>"
    rows = [[f["population"] or "circuit", f["assumption"], f["text"], f["expected_error"]] for f in data["validity"]]
    return "<h2>Validity</h2>" + table(["where", "assumption", "what was found", "expect"], rows)


def distributions(data: dict) -> str:
    rows = [
        [name, number(d["mean_hz"]), number(d["sd_hz"]), f"{100 * d['nearly_silent_share']:.1f} %", f"{100 * d['spikes_of_most_active_tenth']:.0f} %"]
        for name, d in zip(data["populations"], data["rate_distributions"])
    ]
    return "<h2>Rates inside the populations</h2>" + table(["population", "mean (Hz)", "SD (Hz)", "below 0.1 Hz", "spikes of the most active tenth"], rows)


def input_effects(data: dict) -> str:
    """What the theory leaves out of the input, one effect at a time."""
    if "input_effects" not in data:
        return ""

    def share(value: float | None) -> str:
        return "too close to an oscillation to say" if value is None else f"{100 * value:+.0f} %"

    rows = [
        [name, share(e["jumps"]), share(e["regular_sources"]), share(e["population_fluctuations"]), f"{e['cv_over_cells']:.2f}"]
        for name, e in zip(data["populations"], data["input_effects"])
    ]
    text = (
        "<h2>What the theory leaves out of the input</h2><p>How much each effect alone would change the rate if all other cells kept "
        "theirs. In a network, the others respond and undo most of it; what remains is the error to expect.</p>"
    )
    head = ["population", "jumps of finite size", "sources more regular than Poisson", "fluctuations of whole populations", "CV, averaged over cells"]
    return text + table(head, rows)


def second_order(figures, data: dict) -> str:
    """Rates and fluctuations of finite populations."""
    if "second_order" not in data:
        return ""
    result, names = data["second_order"], data["populations"]
    first = data["states"][int(data["chosen_state"])]["rates_hz"]
    rows = [[name, number(a), number(rate), number(sd)] for name, a, rate, sd in zip(names, first, result["rates_hz"], result["sd_hz"])]
    figure, axes = figures.subplots(1, 2, figsize=(9, 3.4))
    places = range(len(names))
    axes[0].bar([p - 0.2 for p in places], first, 0.4, label="first order")
    axes[0].bar([p + 0.2 for p in places], result["rates_hz"], 0.4, yerr=result["sd_hz"], capsize=3, label="second order, SD")
    axes[0].set_xticks(list(places), names)
    axes[0].set_ylabel("rate (Hz)")
    axes[0].legend(fontsize=8)
    sds = [max(sd, 1e-300) for sd in result["sd_hz"]]
    correlation = [[value / sds[i] / sds[j] for j, value in enumerate(row)] for i, row in enumerate(result["covariance_hz2"])]
    image = axes[1].imshow(correlation, vmin=-1, vmax=1, cmap="RdBu_r")
    axes[1].set_xticks(list(places), names)
    axes[1].set_yticks(list(places), names)
    axes[1].set_title("correlation of the fluctuations", fontsize=10)
    figure.colorbar(image, ax=axes[1])
    return (
        "<h2>Fluctuations of finite populations</h2>"
        + table(["population", "rate, first order (Hz)", "second order (Hz)", "SD of the activity (Hz)"], rows)
        + picture(figures, figure, "rates and correlations of finite populations")
    )


def panels(figures, count: int, height: float):
    """A grid of axes, two in a row, the superfluous one gone."""
    rows = (count + 1) // 2
    figure, axes = figures.subplots(rows, 2, figsize=(9, height * rows), squeeze=False)
    flat = list(axes.flat)
    for axis in flat[count:]:
        axis.remove()
    return figure, flat[:count]


def density(figures, data: dict) -> str:
    """Distributions of the potential: with the size of the synapses, and by diffusion."""
    if "density" not in data:
        return ""
    figure, axes = panels(figures, len(data["populations"]), 2.3)
    for axis, name, d in zip(axes, data["populations"], data["density"]):
        axis.set_title(name, fontsize=10)
        if not d["potential_mV"]:
            axis.text(0.5, 0.5, "no noise", ha="center", transform=axis.transAxes)
            continue
        axis.plot(d["potential_mV"], d["by_diffusion_per_mV"], color="0.6", label="diffusion")
        axis.plot(d["potential_mV"], d["with_jumps_per_mV"], color="C0", label="jumps")
        top = max(d["with_jumps_per_mV"])
        shown = [v for v, p in zip(d["potential_mV"], d["with_jumps_per_mV"]) if p > 1e-3 * top]
        axis.set_xlim(shown[0], d["potential_mV"][-1] + 1)
        axis.set_ylabel("per mV")
    axes[0].legend(fontsize=8)
    axes[-1].set_xlabel("potential above rest (mV)")
    rows = [
        [name, number(d["largest_jump_mV"], 3), number(d["rate_hz"]), number(d["diffusion_rate_hz"]), f"{100 * d['change_by_jumps']:+.0f} %"]
        for name, d in zip(data["populations"], data["density"])
    ]
    text = (
        "<h2>Distribution of the potential</h2><p>The theory replaces synaptic input by white noise of the same mean and variance (diffusion). "
        "Here single inputs have the size that they have. Synapses act at once in both: where they filter, both rates are above that of the state, "
        "and the size matters less.</p>"
    )
    head = ["population", "largest input (mV)", "rate with jumps (Hz)", "by diffusion (Hz)", "the size changes the rate by"]
    return text + table(head, rows) + picture(figures, figure, "distribution of the potential")


def wilson_cowan(figures, data: dict) -> str:
    """Derived parameters, and the response of the model beside that of the theory."""
    if "wilson_cowan" not in data:
        return ""
    model, names = data["wilson_cowan"], data["populations"]
    rows = [
        [name, number(model["rates_hz"][i]), number(model["highest_hz"][i]), number(model["tau_ms"][i], 3), f"{100 * model['misfit'][i]:.0f} %"]
        + [f"{number(w, 3)} ({number(d, 2)})" if w else "-" for w, d in zip(model["coupling"][i], model["delay_ms"][i])]
        for i, name in enumerate(names)
    ]
    head = ["population", "rate (Hz)", "highest rate (Hz)", "time constant (ms)", "misfit"] + [f"from {name} (delay, ms)" for name in names]
    response = model["response"]
    figure, axes = panels(figures, len(names), 2.1)
    for axis, name, full, reduced in zip(axes, names, response["theory_hz"], response["wilson_cowan_hz"]):
        axis.plot(response["time_ms"], full, color="0.6", linewidth=2.5, label="theory")
        axis.plot(response["time_ms"], reduced, color="C3", linewidth=1, label="Wilson-Cowan")
        axis.set_title(name, fontsize=10)
        axis.set_ylabel("change (Hz)")
    axes[0].legend(fontsize=8)
    axes[-1].set_xlabel("time (ms)")
    text = (
        "<h2>Wilson-Cowan model of this state</h2><p>tau d&nu;/dt = -&nu; + S(w (&nu;(t - d) - &nu;*) + input), S the sigmoid between 0 and the highest rate with "
        "slope 1 at the state &nu;*. The misfit is what one pole and one delay leave of the theory's response between 1 and 200 Hz.</p>"
    )
    pulse = f"<p>Response to {response['amplitude']:.3g} {response['unit']} for {response['duration_ms']:.3g} ms into {html.escape(response['population'])}:</p>"
    stability = "" if model["stable"] == data["states"][int(data["chosen_state"])]["stable"] else "<p>The model and the theory do not agree on whether the state is stable: the theory is right.</p>"
    poor = [name for name, misfit in zip(names, model["misfit"]) if misfit > 0.25]
    if poor:
        stability += f"<p><b>One time constant does not describe {html.escape(', '.join(poor))}</b>: cells that adapt, for instance, respond less to slow changes than to fast ones, and the model has the slow response at all speeds.</p>"
    return text + table(head, rows) + stability + pulse + unstable(data) + picture(figures, figure, "response of the Wilson-Cowan model")


def unstable(data: dict) -> str:
    """A response is that of small deviations, which an unstable state does not have."""
    if data["states"][int(data["chosen_state"])]["stable"]:
        return ""
    return "<p><b>The state is unstable: small deviations grow, and what is drawn is not what the circuit would do.</b></p>"


def lines(figures, data: dict, key: str, x: str, y: str, title: str, labels: tuple[str, str], logarithmic: bool) -> str:
    if key not in data:
        return ""
    figure, axes = figures.subplots(figsize=(9, 4))
    for name, values in zip(data["populations"], data[key][y]):
        axes.plot(data[key][x], values, label=name)
    if logarithmic:
        axes.set_yscale("log")
    axes.set_xlabel(labels[0])
    axes.set_ylabel(labels[1])
    axes.legend(ncols=2, fontsize=8)
    return f"<h2>{html.escape(title)}</h2>{unstable(data)}{picture(figures, figure, title)}"


def bifurcation(figures, data: dict) -> str:
    if "bifurcation" not in data:
        return ""
    diagram = data["bifurcation"]
    count = len(data["populations"])
    figure, axes = figures.subplots(count, 1, figsize=(9, 2.2 * count), sharex=True, squeeze=False)
    for i, name in enumerate(data["populations"]):
        for stable, style in ((True, "k."), (False, "r.")):
            points = [p for p in diagram["points"] if p["stable"] == stable]
            axes[i][0].plot([p["parameter"] for p in points], [p["rates_hz"][i] for p in points], style, markersize=3)
        for point in diagram["critical"]:
            axes[i][0].plot(point["parameter"], point["rates_hz"][i], "s" if point["kind"] == "fold" else "o", mfc="none", color="C0")
        axes[i][0].set_ylabel(f"{name} (Hz)")
        axes[i][0].set_yscale("symlog", linthresh=1)
    axes[-1][0].set_xlabel(diagram["key"])
    rows = [[p["kind"], number(p["parameter"], 8), number(p["frequency_hz"]) if p["kind"] == "hopf" else "-"] for p in diagram["critical"]]
    critical = table(["point", diagram["key"], "frequency (Hz)"], rows) if rows else "<p>No fold or Hopf point in this range.</p>"
    return f"<h2>States over {html.escape(diagram['key'])}</h2><p>Black: stable; red: unstable; squares: folds; circles: Hopf points.</p>{picture(figures, figure, 'bifurcation')}{critical}"


def stability_map(figures, data: dict) -> str:
    if "map" not in data:
        return ""
    grid = data["map"]
    figure, axes = figures.subplots(1, 2, figsize=(10, 4))
    for axis, key, title in ((axes[0], "stable_states", "number of stable states"), (axes[1], "growth_per_s", "growth of the leading mode (1/s)")):
        values = [[cell[key] for cell in row] for row in grid["rows"]]
        image = axis.pcolormesh(grid["x"], grid["y"], values, shading="nearest")
        figure.colorbar(image, ax=axis)
        axis.set_title(title)
        axis.set_xlabel(grid["x_key"])
        axis.set_ylabel(grid["y_key"])
    return f"<h2>Map</h2>{picture(figures, figure, 'map')}"


def picture(figures, figure, alt: str) -> str:
    import base64
    import io

    figure.tight_layout()
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=110, metadata={"Software": None})
    figures.close(figure)
    return f'<img alt="{html.escape(alt)}" src="data:image/png;base64,{base64.b64encode(buffer.getvalue()).decode()}">'


def main() -> int:
    if len(sys.argv) != 2 or not (Path(sys.argv[1]) / "analysis.json").is_file():
        print("usage: analysis.py DIR, a folder with analysis.json", file=sys.stderr)
        return 2
    sys.dont_write_bytecode = True
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as figures
    from triscale_report import write_atomically

    folder = Path(sys.argv[1])
    data = json.loads((folder / "analysis.json").read_text(encoding="utf-8"))
    style = (Path(__file__).resolve().parent / "style.css").read_text(encoding="utf-8")
    parts = [
        states(data),
        validity(data),
        distributions(data),
        input_effects(data),
        second_order(figures, data),
        density(figures, data),
        lines(figures, data, "spectra", "frequency_hz", "power_hz2_per_hz", "Power spectra of the rates", ("frequency (Hz)", "power (Hz^2/Hz)"), True),
        lines(figures, data, "response", "time_ms", "rate_change_hz", "Response to a pulse", ("time (ms)", "change of the rate (Hz)"), False),
        wilson_cowan(figures, data),
        bifurcation(figures, data),
        stability_map(figures, data),
    ]
    page = f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>triscale: mean-field analysis</title><style>{style}</style></head><body><main><h1>Mean-field analysis of {html.escape(data["config"])}</h1>{"".join(parts)}</main></body></html>\n'
    try:
        write_atomically(folder / "analysis.html", page)
    except OSError as error:
        print(f"{folder / 'analysis.html'}: cannot be written: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
