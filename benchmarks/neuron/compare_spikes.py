"""Compares two SONATA spike files, per population and node, spike by spike.

    compare_spikes.py A.h5 B.h5 [--tolerance-ms X]

Spikes of a node are paired in order of time. Exits with 1 if a count differs or a pair is further apart than the tolerance.
"""
import argparse
import sys

import h5py
import numpy as np


def read(path):
    with h5py.File(path, "r") as f:
        return {name: (g["timestamps"][()], g["node_ids"][()].astype(int)) for name, g in f["spikes"].items()}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("a")
    parser.add_argument("b")
    parser.add_argument("--tolerance-ms", type=float, default=1e-3)
    args = parser.parse_args()
    a, b = read(args.a), read(args.b)
    same = True
    for population in sorted(set(a) | set(b)):
        none = (np.zeros(0), np.zeros(0, int))
        (ta, ia), (tb, ib) = a.get(population, none), b.get(population, none)
        paired, within, largest = 0, 0, 0.0
        for node in np.union1d(ia, ib):
            x, y = np.sort(ta[ia == node]), np.sort(tb[ib == node])
            n = min(len(x), len(y))
            difference = np.abs(x[:n] - y[:n])
            paired += n
            within += int(np.sum(difference <= args.tolerance_ms))
            largest = max(largest, difference.max(initial=0.0))
        print(f"{population}: {len(ta)} and {len(tb)} spikes, {paired} pairs, {within} within {args.tolerance_ms} ms, "
              f"largest difference {largest:.3g} ms")
        same = same and len(ta) == len(tb) == within
    return 0 if same else 1


if __name__ == "__main__":
    sys.exit(main())
