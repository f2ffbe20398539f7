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


def second_order(data: dict) -> str:
    """Rates and fluctuations of finite populations."""
    if "second_order" not in data:
        return ""
    result = data["second_order"]
    rows = [[name, number(rate), number(sd)] for name, rate, sd in zip(data["populations"], result["rates_hz"], result["sd_hz"])]
    return "<h2>Fluctuations of finite populations</h2>" + table(["population", "rate (Hz)", "SD of the activity (Hz)"], rows)


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
    return f"<h2>{html.escape(title)}</h2>{picture(figures, figure, title)}"


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
        second_order(data),
        lines(figures, data, "spectra", "frequency_hz", "power_hz2_per_hz", "Power spectra of the rates", ("frequency (Hz)", "power (Hz^2/Hz)"), True),
        lines(figures, data, "response", "time_ms", "rate_change_hz", "Response to a pulse", ("time (ms)", "change of the rate (Hz)"), False),
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
