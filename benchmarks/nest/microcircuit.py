#!/usr/bin/env python3
"""The cortical microcircuit in NEST, from a recipe of experiments/cortical_microcircuit, to be timed beside triscale.

    microcircuit.py RECIPE [--threads 2] [--presim-ms 150] [--simulate-ms 500]

Needs NEST 3.10 (pip install nest-simulator, for Python 3.11 on Linux). Prints construction time, real-time factor and
mean rates. With two threads a full-scale circuit needs --threads 3 or more: NEST holds at most 2^27 synapses a thread.
"""
import argparse
import json
import time

import nest


def parameter(distribution, unit=1.0):
    """A NEST parameter from a recipe's distribution, redrawn below its lower bound."""
    if not isinstance(distribution, dict):
        return distribution * unit
    normal = nest.random.normal(mean=distribution["mean"] * unit, std=distribution["sd"] * abs(unit))
    low, high = sorted((distribution["low"] * unit, (1e9 if unit > 0 else -1e9)))
    return nest.math.redraw(normal, min=low, max=high)


def build(recipe, threads, seed):
    """Makes the network; returns its populations by name."""
    nest.set_verbosity("M_ERROR")
    nest.ResetKernel()
    nest.set(local_num_threads=threads, resolution=recipe["run"]["dt_ms"], rng_seed=seed)
    models = {t["name"]: t["point"] for t in recipe["cell_types"]}
    synapse = {t["name"]: t["point"] for t in recipe["synapse_types"]}
    populations = {}
    for p in recipe["populations"]:
        m = models[p["cell_type"]]
        populations[p["name"]] = nest.Create("iaf_psc_exp", p["size"], params={
            "C_m": m["C_m_nF"] * 1e3, "tau_m": m["C_m_nF"] / m["g_L_uS"], "E_L": m["E_L_mV"], "V_th": m["V_threshold_mV"],
            "V_reset": m["V_reset_mV"], "t_ref": m["t_ref_ms"], "tau_syn_ex": synapse["excitatory"]["tau_ms"],
            "tau_syn_in": synapse["inhibitory"]["tau_ms"],
            "V_m": nest.random.normal(mean=p["V_init_mV"]["mean"], std=p["V_init_mV"]["sd"])})
    for p in recipe["projections"]:
        nest.Connect(populations[p["source"]], populations[p["target"]],
                     {"rule": "fixed_total_number", "N": p["rule"]["number"], "allow_autapses": True,
                      "allow_multapses": True},
                     {"synapse_model": "static_synapse_hpc",
                      "weight": parameter(p["weight_nA"], synapse[p["synapse_type"]]["sign"] * 1e3),
                      "delay": parameter(p["delay_ms"])})
    for i in recipe["inputs"]:
        target = populations[i["target"]]
        if i["kind"] == "poisson":
            generator = nest.Create("poisson_generator", params={"rate": i["rate_hz"]})
            nest.Connect(generator, target, syn_spec={"weight": i["weight_nA"] * 1e3, "delay": i["delay_ms"]})
        elif i["begin_ms"] == 0:
            target.set(I_e=i["amplitude_nA"] * 1e3)
    return populations


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("recipe")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--presim-ms", type=float, default=150)
    parser.add_argument("--simulate-ms", type=float, default=500)
    a = parser.parse_args()
    with open(a.recipe) as file:
        recipe = json.load(file)
    start = time.perf_counter()
    build(recipe, a.threads, recipe["run"]["seed"])
    nest.Prepare()
    print(f"construction {time.perf_counter() - start:.1f} s, {nest.num_connections} connections")
    nest.Run(a.presim_ms)
    start, processor = time.perf_counter(), time.process_time()
    nest.Run(a.simulate_ms)
    wall, processor = time.perf_counter() - start, time.process_time() - processor
    nest.Cleanup()
    spikes = nest.local_spike_counter  # of the last call of Run
    cells = sum(p["size"] for p in recipe["populations"])
    print(f"real-time factor {wall / a.simulate_ms * 1e3:.2f}, processor time of all threads over model time "
          f"{processor / a.simulate_ms * 1e3:.2f}, mean rate {spikes / cells / a.simulate_ms * 1e3:.3f} Hz")


if __name__ == "__main__":
    main()
