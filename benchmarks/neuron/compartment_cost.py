"""Cost of a compartment-step in triscale and NEURON on the same generated cells, back to back.

    compartment_cost.py --triscale PATH [--cells N] [--duration-ms X] [--repeats N] [--scheme S] [--only NAME ...]
    compartment_cost.py --triscale PATH --scaling [--plot F.svg]   triscale only: against compartments, cells, channels, threads
    compartment_cost.py --triscale PATH --electrodes               triscale only: what it costs to record the potential each step

A cell is a soma with unbranched dendrites of 200 um (11 compartments each); 0.2 nA into the soma, dt 0.025 ms, one thread.
Both programs time their own time loop; of the repeats, taken in turn, the fastest counts. Prints Markdown.
"""
import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time

DT = 0.025
HAY = {"Ih": 1e-4, "NaTs": 0.02, "Nap": 1e-5, "K_P": 1e-3, "K_T": 1e-3, "SK": 1e-4, "Kv3_1": 0.01, "Ca_HVA": 1e-5,
       "Ca_LVA": 1e-5, "Im": 1e-4, "CaDynamics": {"gamma": 0.05, "decay": 80.0}}
ALL_ACTIVE_SOMA = {"NaV": 0.05, "SK": 7e-4, "Kv3_1": 0.19, "Ca_HVA": 1e-4, "Ca_LVA": 3.4e-3, "Ih": 1e-7,
                   "CaDynamics": {"gamma": 0.05, "decay": 42.0}}
ALL_ACTIVE_DENDRITE = {"NaV": 0.02, "Kv3_1": 0.19, "Im_v2": 1.3e-3, "Ih": 9e-6}
HH = {"hh": {"gnabar": 0.12, "gkbar": 0.036, "gl": 0.0003, "el": -54.3}}
WORKLOADS = {               # mechanisms of the soma and of the dendrites, temperature, start
    "passive": ({}, {}, 34, -80),
    "HH + passive, exact rates": (HH, HH, 6.3, -65),
    "ten channels (Hay-like)": (HAY, HAY, 34, -80),
    "all-active, NaV everywhere": (ALL_ACTIVE_SOMA, ALL_ACTIVE_DENDRITE, 34, -80),
}
UNITS = {"gbar": "gbar_S_cm2", "gnabar": "gnabar_S_cm2", "gkbar": "gkbar_S_cm2", "gl": "gl_S_cm2", "el": "el_mV",
         "gamma": "gamma", "decay": "decay_ms"}


def parameters(value):
    return value if isinstance(value, dict) else {"gbar": value}


def recipe(workload, cells, dendrites, duration_ms, scheme, electrodes=0):
    soma, dendrite, celsius, start = WORKLOADS[workload]
    sections = [{"name": "soma", "kind": "soma", "length_um": 20, "diameter_um": 20}]
    sections += [{"name": f"d{i}", "kind": "basal", "parent": "soma", "parent_position": 0.5, "length_um": 200,
                  "diameter_um": 1.5} for i in range(dendrites)]
    mechanisms = [{"mechanism": name, "regions": [region],
                   "parameters": {UNITS[key]: x for key, x in parameters(value).items()}}
                  for region, placed in (("soma", soma), ("basal", dendrite)) for name, value in placed.items()]
    probe = {"name": "lfp", "kind": "potential",
             "electrodes": [{"position_um": [30, 20 * k - 10 * electrodes, 0]} for k in range(electrodes)]}
    return {"triscale_recipe": 1, "field_probes": [probe] if electrodes else [],
            "run": {"duration_ms": duration_ms, "dt_ms": DT, "celsius": celsius, "V_init_mV": start, "scheme": scheme,
                    "compartments": {"max_length_um": 20}},
            "cell_types": [{"name": "cell", "detailed": {
                "sections": sections, "mechanisms": mechanisms,
                "regions": {"all": {"Ra_Ohm_cm": 100, "C_m_uF_cm2": 1, "g_pas_S_cm2": 5e-5, "e_pas_mV": start,
                                    "E_Na_mV": 50, "E_K_mV": -85}}}}],
            "populations": [{"name": "cells", "size": cells, "cell_type": "cell"}],
            "inputs": [{"name": "step", "kind": "current_step", "target": "cells", "begin_ms": 0, "end_ms": 1e6,
                        "amplitude_nA": 0.2}]}


def triscale_ns(program, workload, cells, dendrites, duration_ms, scheme, threads=1, electrodes=0):
    with tempfile.TemporaryDirectory() as folder:
        config = os.path.join(folder, "recipe.json")
        with open(config, "w") as f:
            json.dump(recipe(workload, cells, dendrites, duration_ms, scheme, electrodes), f)
        out = os.path.join(folder, "out")
        subprocess.run([program, "run", config, "--tier", "detailed", "-o", out, "--quiet", "--threads", str(threads)],
                       check=True, stdout=subprocess.DEVNULL)
        with open(os.path.join(out, "run.json")) as f:
            run = json.load(f)
    return 1e9 * run["wall_s"] / (run["compartments"] * round(duration_ms / DT))


class NeuronCells:
    def __init__(self, h, workload, cells, dendrites):
        soma_mechanisms, dendrite_mechanisms, h.celsius, self.start = WORKLOADS[workload]
        self.h, self.sections, self.clamps = h, [], []
        for _ in range(cells):
            soma = self.section(20, 20, soma_mechanisms)
            for _ in range(dendrites):
                self.section(200, 1.5, dendrite_mechanisms).connect(soma(0.5), 0)
            clamp = h.IClamp(soma(0.5))
            clamp.delay, clamp.dur, clamp.amp = 0, 1e9, 0.2
            self.clamps.append(clamp)
        self.compartments = sum(section.nseg for section in self.sections)

    def section(self, length, diameter, mechanisms):
        section = self.h.Section()
        section.L, section.diam, section.nseg = length, diameter, 1 + 2 * int(length / 40)
        section.Ra, section.cm = 100, 1
        section.insert("pas")
        for segment in section:
            segment.pas.g, segment.pas.e = 5e-5, self.start
        for name, value in mechanisms.items():
            section.insert(name)
            for segment in section:
                for key, x in parameters(value).items():
                    setattr(getattr(segment, name), key, x)
        for ion, name, potential in (("na_ion", "ena", 50), ("k_ion", "ek", -85)):
            if self.h.ismembrane(ion, sec=section):
                setattr(section, name, potential)
        self.sections.append(section)
        return section

    def ns(self, duration_ms):
        h = self.h
        h.CVode().cache_efficient(1)
        h.dt = DT
        h.steps_per_ms = 1 / DT
        h.usetable_hh = 0
        h.finitialize(self.start)
        steps = round(duration_ms / DT)
        begin = time.perf_counter()
        h.continuerun(duration_ms)
        return 1e9 * (time.perf_counter() - begin) / (self.compartments * steps)


def against_neuron(args):
    from neuron import h
    with tempfile.TemporaryDirectory() as folder:
        here = os.path.dirname(os.path.abspath(__file__))
        subprocess.run([os.path.join(here, "build_mechanisms.sh"), folder], check=True, stdout=subprocess.DEVNULL)
        h.nrn_load_dll(os.path.join(folder, "libtriscale_mech.so"))
    h.load_file("stdrun.hoc")
    print(f"{args.cells} cells of {1 + 11 * args.dendrites} compartments, {args.scheme}, ns per compartment-step\n")
    print("| workload | NEURON | triscale | ratio |\n|---|---|---|---|")
    for workload in args.only or WORKLOADS:
        cells = NeuronCells(h, workload, args.cells, args.dendrites)
        theirs, ours = [], []
        for _ in range(args.repeats):
            theirs.append(cells.ns(args.duration_ms))
            ours.append(triscale_ns(args.triscale, workload, args.cells, args.dendrites, args.duration_ms, args.scheme))
        del cells
        print(f"| {workload} | {min(theirs):.1f} | {min(ours):.2f} | {min(theirs) / min(ours):.1f} |", flush=True)


VARIED = {                  # what grows: (dendrites, cells, threads) of each row
    "compartments a cell": [(1, 64, 1), (4, 64, 1), (24, 64, 1), (96, 64, 1), (384, 64, 1)],
    "cells": [(24, 1, 1), (24, 2, 1), (24, 4, 1), (24, 8, 1), (24, 64, 1), (24, 512, 1)],
    "threads": [(24, 64, 1), (24, 64, 2), (24, 512, 1), (24, 512, 2)],
}


def measure(args, workload, dendrites, cells, threads):
    """Milliseconds of model time such that a run takes a few tenths of a second; the fastest of the repeats."""
    size = (1 + 11 * dendrites) * cells
    duration_ms = DT * round(min(100.0, max(2.5, 2.5e6 / size * DT)) / DT)
    return min(triscale_ns(args.triscale, workload, cells, dendrites, duration_ms, args.scheme, threads)
               for _ in range(args.repeats))


def signals(args):
    """64 cells; runs without and with electrodes in turn, medians; every step is a sample."""
    print("| workload | nothing recorded, ns | 16 electrodes | 96 electrodes |\n|---|---|---|---|")
    for workload in args.only or WORKLOADS:
        duration_ms = DT * round((100 if workload == "passive" else 25) / DT)
        taken = {n: [] for n in (0, 16, 96)}
        for _ in range(args.repeats):
            for n, list_of in taken.items():
                list_of.append(triscale_ns(args.triscale, workload, 64, args.dendrites, duration_ms, args.scheme, 1, n))
        plain, few, many = (statistics.median(taken[n]) for n in (0, 16, 96))
        print(f"| {workload} | {plain:.2f} | {100 * (few / plain - 1):+.0f} % | {100 * (many / plain - 1):+.0f} % |", flush=True)


def scaling(args):
    rows = []               # (what varies, workload, value, ns)
    for workload in args.only or WORKLOADS:
        for what, cases in VARIED.items():
            for dendrites, cells, threads in cases:
                value = {"compartments a cell": 1 + 11 * dendrites, "cells": cells, "threads": threads}
                label = f"{workload}, {cells} cells" if what == "threads" else workload
                rows.append((what, label, value[what], measure(args, workload, dendrites, cells, threads)))
    names = [name for name in HAY if name != "CaDynamics"]
    for n in (0, 2, 4, 6, 8, 10):
        placed = {name: HAY[name] for name in names[:n]}
        if "SK" in placed:
            placed["CaDynamics"] = HAY["CaDynamics"]
        WORKLOADS["channels"] = (placed, placed, 34, -80)
        rows.append(("channels", "Hay-like", n, measure(args, "channels", 24, 64, 1)))
    print("| varied | | workload | ns per compartment-step |\n|---|---|---|---|")
    for what, workload, value, ns in rows:
        print(f"| {what} | {value} | {workload} | {ns:.2f} |")
    if args.plot:
        draw(rows, args.plot)


def draw(rows, path):
    import matplotlib
    matplotlib.use("svg")
    import matplotlib.pyplot as plt
    panels = ["compartments a cell", "cells", "channels", "threads"]
    figure, axes = plt.subplots(1, len(panels), figsize=(14, 3.6), sharey=True)
    for axis, what in zip(axes, panels):
        for workload in dict.fromkeys(row[1] for row in rows if row[0] == what):
            points = [(row[2], row[3]) for row in rows if row[0] == what and row[1] == workload]
            axis.plot(*zip(*points), marker="o", markersize=4, label=workload)
        axis.set_xlabel(what)
        axis.set_yscale("log")
        if what in ("compartments a cell", "cells"):
            axis.set_xscale("log", base=2)
        if what == "threads":
            axis.set_xticks(sorted({row[2] for row in rows if row[0] == what}))
        axis.grid(alpha=0.3)
        axis.legend(fontsize=7)
    axes[0].set_ylabel("ns per compartment-step")
    figure.tight_layout()
    figure.savefig(path)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--triscale", default="triscale", help="the triscale program")
    parser.add_argument("--cells", type=int, default=8)
    parser.add_argument("--dendrites", type=int, default=24)
    parser.add_argument("--duration-ms", type=float, default=25)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--scheme", default="backward_euler", choices=("backward_euler", "second_order"))
    parser.add_argument("--only", nargs="+", choices=list(WORKLOADS))
    parser.add_argument("--scaling", action="store_true")
    parser.add_argument("--electrodes", action="store_true")
    parser.add_argument("--plot", metavar="FILE.svg", help="draw what --scaling measured")
    args = parser.parse_args()
    (scaling if args.scaling else signals if args.electrodes else against_neuron)(args)


if __name__ == "__main__":
    sys.exit(main())
