"""Compares the channels in mod/ with golden values: steady states, time constants, and the Markov sodium gate.

    check_channels.py LIBRARY --channels channel_golden.csv [--nav nav_golden.csv]

Prints the largest relative difference per gate; exits with 1 if one is above the tolerance.
"""
import argparse
import csv
import sys

from neuron import h

TOLERANCE = 1e-9          # the golden time constants are good to about 1e-11
NAV_START_MV = -80.0      # nav_golden.csv: start at this voltage, published start ...
NAV_STEP_MV = -10.0       # ... then hold at this one


def gate_differences(path):
    section = h.Section(name="patch")
    section.L = section.diam = 10
    worst = {}
    with open(path) as f:
        for row in csv.DictReader(f):
            name, gate = row["mechanism"], row["state"]
            if name == "hh":
                continue
            section.insert(name)
            h.celsius = float(row["celsius"])
            h.finitialize(float(row["v_mV"]))
            mechanism = getattr(section(0.5), name)
            for ours, golden in ((getattr(mechanism, gate + "_inf"), row["inf_NEURON"]),
                                 (getattr(mechanism, "tau_" + gate), row["tau_ms_NEURON"])):
                golden = float(golden)
                difference = abs(ours - golden) / max(abs(golden), 1e-300)
                key = (name, gate)
                worst[key] = max(worst.get(key, 0.0), difference)
    return worst


def nav_difference(path):
    """Holds the voltage by replacing it before each step: the gate step alone is what is tested."""
    section = h.Section(name="nav")
    section.L = section.diam = 10
    section.insert("NaV")
    section.gbar_NaV = 0
    section.cm = 1e6
    h.celsius = 34
    h.published_start_NaV = 1
    worst = 0.0
    rows = list(csv.DictReader(open(path)))
    for dt in sorted({row["dt_ms"] for row in rows}, key=float):
        golden = {round(float(r["t_ms"]) / float(dt)): float(r["O_NEURON"]) for r in rows if r["dt_ms"] == dt}
        h.dt = float(dt)
        h.finitialize(NAV_START_MV)
        section(0.5).v = NAV_STEP_MV
        for step in range(1, max(golden) + 1):
            h.fadvance()
            if step in golden:
                worst = max(worst, abs(section(0.5).NaV.O - golden[step]) / golden[step])
    h.published_start_NaV = 0
    return worst


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("library")
    parser.add_argument("--channels", required=True)
    parser.add_argument("--nav")
    args = parser.parse_args()
    h.nrn_load_dll(args.library)

    worst = gate_differences(args.channels)
    if args.nav:
        worst[("NaV", "O")] = nav_difference(args.nav)
    for (name, gate), difference in sorted(worst.items()):
        print(f"{name:10s} {gate:3s} {difference:.1e}")
    return 0 if all(d <= TOLERANCE for d in worst.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
