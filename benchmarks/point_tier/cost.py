#!/usr/bin/env python3
"""How time and memory of the point tier grow: with neurons, synapses, rate, range of delays, and threads.

    cost.py TRISCALE [-o plot.svg]

Varies one thing at a time around the cortical microcircuit at scale 0.1 with Poisson drive (300 ms) and prints a table in
Markdown. Run it on a quiet machine; the processor time of the program is printed beside the wall time.
"""
import argparse
import json
import pathlib
import resource
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "experiments" / "cortical_microcircuit"))
import make_recipe  # noqa: E402

DURATION_MS = 300


def recipe(scale=0.1, synapses=0.1, delay=1.0, drive=1.0):
    made = make_recipe.make("poisson", scale, synapses, False, False, 1, DURATION_MS)
    for projection in made["projections"]:
        for key in ("mean", "sd"):
            projection["delay_ms"][key] *= delay
    for entry in made["inputs"]:
        if entry["kind"] == "poisson":
            entry["rate_hz"] *= drive
        else:
            entry["amplitude_nA"] *= drive
    return made


def run(program, made, threads):
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "recipe.json"
        path.write_text(json.dumps(made))
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([program, "run", str(path), "--tier", "point", "-o", folder, "--threads", str(threads), "--quiet"],
                       check=True, stdout=subprocess.DEVNULL)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        result = json.loads((pathlib.Path(folder) / "run.json").read_text())
    result["cpu_s"] = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return result


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("program")
    parser.add_argument("-o", "--plot")
    arguments = parser.parse_args()
    sweeps = {
        "neurons (10 % of the synapses per cell)": [(f"scale {s}", dict(scale=s), 1) for s in (0.05, 0.1, 0.2, 0.4)],
        "synapses per cell": [(f"{k:g} of the full number", dict(synapses=k), 1) for k in (0.05, 0.1, 0.2, 0.4)],
        "rate": [(f"drive times {d:g}", dict(drive=d), 1) for d in (0.0, 0.9, 1.0, 1.5)],
        "delays": [(f"delays times {d:g}", dict(delay=d), 1) for d in (1, 3, 10)],
        "threads": [(f"{t}", {}, t) for t in (1, 2)],
    }
    print("| varied | | neurons | synapses | spikes | wall s | processor s, all | construction s | memory MB |")
    print("|---|---|---|---|---|---|---|---|---|")
    rows = []
    for name, cases in sweeps.items():
        for label, options, threads in cases:
            r = run(arguments.program, recipe(**options), threads)
            rows.append((name, label, r))
            print(f"| {name} | {label} | {r['cells']} | {r['synapses']} | {r['spikes']} | {r['wall_s']:.3f} | "
                  f"{r['cpu_s']:.2f} | {r['setup_s']:.2f} | {r['peak_memory_bytes'] / 1e6:.0f} |", flush=True)
    if not arguments.plot:
        return
    import matplotlib
    matplotlib.use("svg")
    import matplotlib.pyplot as plt
    figure, axes = plt.subplots(1, 2, figsize=(8, 3))
    for key, quantity, axis in (("neurons (10 % of the synapses per cell)", "cells", axes[0]),
                                ("synapses per cell", "synapses", axes[1])):
        chosen = [r for name, _, r in rows if name == key]
        axis.loglog([r[quantity] for r in chosen], [r["wall_s"] for r in chosen], "o-", label="run, s")
        axis.loglog([r[quantity] for r in chosen], [r["setup_s"] for r in chosen], "s-", label="construction, s")
        axis.loglog([r[quantity] for r in chosen], [r["peak_memory_bytes"] / 1e9 for r in chosen], "^-", label="memory, GB")
        axis.set_xlabel(quantity)
        axis.legend(fontsize=7)
    figure.tight_layout()
    figure.savefig(arguments.plot)


if __name__ == "__main__":
    main()
