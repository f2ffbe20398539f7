#!/usr/bin/env python3
"""Distributions of single-neuron statistics of the cortical microcircuit in NEST, one file for several seeds.

    microcircuit_statistics.py RECIPE OUT.json --seeds 1 2 3 4 5 [--discard-ms 500] [--simulate-ms 8000]

Needs NEST 3.10 and numpy. For each seed and population: firing rates of all cells, coefficients of variation of their
intervals (cells with at least 3 of them), and Pearson correlations of spike counts in 2 ms bins of all pairs among the
first 250 cells that fire. Each distribution is written as equally spaced quantiles, from the least to the largest value.
A run goes into OUT.json when it is done, so an interrupted series can be continued. The test
tests/validation/cortical_microcircuit.cpp compares triscale with this file.
"""
import argparse
import json
import os

import nest
import numpy as np

from microcircuit import build

KBIN_MS, KPAIRED, KMIN_INTERVALS, KQUANTILES = 2.0, 250, 3, 101


def statistics(cells, times_ms, size, begin_ms, end_ms):
    order = np.lexsort((times_ms, cells))
    cells, times_ms = cells[order], times_ms[order]
    first = np.searchsorted(cells, np.arange(size + 1))
    counts = np.diff(first)
    cvs = []
    for c in np.nonzero(counts > KMIN_INTERVALS)[0]:
        intervals = np.diff(times_ms[first[c]:first[c + 1]])
        cvs.append(intervals.std() / intervals.mean())
    firing = np.nonzero(counts)[0][:KPAIRED]
    bins = np.arange(begin_ms, end_ms + KBIN_MS / 2, KBIN_MS)
    binned = [np.histogram(times_ms[first[c]:first[c + 1]], bins)[0] for c in firing]
    correlations = np.corrcoef(binned)[np.triu_indices(len(firing), 1)]
    return {"rate_hz": counts / (end_ms - begin_ms) * 1e3, "cv": np.array(cvs), "correlation": correlations}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("recipe")
    parser.add_argument("out")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3, 4, 5])
    parser.add_argument("--discard-ms", type=float, default=500)
    parser.add_argument("--simulate-ms", type=float, default=8000)
    a = parser.parse_args()
    with open(a.recipe) as file:
        recipe = json.load(file)
    result = {"simulator": "NEST " + nest.__version__, "discard_ms": a.discard_ms, "simulate_ms": a.simulate_ms,
              "bin_ms": KBIN_MS, "paired_cells": KPAIRED, "min_intervals": KMIN_INTERVALS, "runs": {}}
    if os.path.exists(a.out):
        with open(a.out) as file:
            result = json.load(file)
    for seed in a.seeds:
        if str(seed) in result["runs"]:
            continue
        populations = build(recipe, 1, seed)
        recorders = {}
        for name, cells in populations.items():
            recorders[name] = nest.Create("spike_recorder", params={"start": a.discard_ms})
            nest.Connect(cells, recorders[name])
        nest.Simulate(a.discard_ms + a.simulate_ms)
        run = {}
        for name, cells in populations.items():
            events = recorders[name].events
            values = statistics(events["senders"] - cells[0].global_id, events["times"], len(cells), a.discard_ms,
                                a.discard_ms + a.simulate_ms)
            run[name] = {key: {"n": len(v), "mean": float(np.mean(v)),
                               "quantiles": [float(f"{q:.4g}") for q in np.quantile(v, np.linspace(0, 1, KQUANTILES))]}
                         for key, v in values.items()}
            print(seed, name, *(f"{key} {run[name][key]['mean']:.4g}" for key in run[name]), flush=True)
        result["runs"][str(seed)] = run
        with open(a.out, "w") as file:
            json.dump(result, file)


if __name__ == "__main__":
    main()
