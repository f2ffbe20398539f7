#!/usr/bin/env python3
"""What the models of the point tier cost: neurons per step, and synapses with a state per event beside static ones.

    models.py TRISCALE [--threads 1]

Neurons: 10,000 unconnected cells under a constant current, 200 ms at dt 0.1 ms; nanoseconds of the run's wall time per
neuron and step. Synapses: 2000 leaky cells with 500 weak synapses each, 500 ms; wall time above that of the same cells
without synapses, per event. Run it on a quiet machine.
"""
import argparse
import json
import pathlib
import subprocess
import tempfile

LIF = {"model": "lif", "C_m_nF": 0.25, "g_L_uS": 0.025, "E_L_mV": -65, "V_reset_mV": -65, "V_threshold_mV": -50}
GLIF = {"model": "glif", "C_m_nF": 0.06, "g_L_uS": 0.01, "E_L_mV": -78, "V_reset_mV": -78, "V_threshold_mV": -50}
CURRENTS = [{"amplitude_nA": -0.01, "tau_ms": 300}, {"amplitude_nA": -0.1, "tau_ms": 10}]
NEURONS = {
    "lif": (LIF, 0.42),
    "gif": ({"model": "gif", "C_m_nF": 0.1, "g_L_uS": 0.005, "E_L_mV": -70, "V_reset_mV": -70, "V_threshold_mV": -50}, 0.12),
    "glif 1": (GLIF, 0.35),
    "glif 3": (dict(GLIF, after_spike_currents=CURRENTS), 0.45),
    "glif 5": (dict(GLIF, after_spike_currents=CURRENTS, threshold_jump_mV=2, reset_fraction=0.3,
                    threshold_voltage_per_ms=0.005), 0.45),
    "adex": ({"model": "adex", "C_m_nF": 0.2, "g_L_uS": 0.01, "E_L_mV": -70, "V_T_mV": -50, "Delta_T_mV": 2, "V_peak_mV": 0,
              "V_reset_mV": -60}, 0.25),
    "izhikevich": ({"model": "izhikevich", "C_m_nF": 0.1, "k_uS_per_mV": 7e-4, "V_rest_mV": -60, "V_T_mV": -40,
                    "V_peak_mV": 35, "c_mV": -50, "a_per_ms": 0.03, "b_uS": -0.002, "d_nA": 0.1}, 0.1),
}
SYNAPSES = {
    "static": {},
    "short-term plasticity": {"release": {"U": 0.5, "tau_recovery_ms": 200, "tau_facilitation_ms": 20}},
    "stochastic, one site": {"release": {"failure_probability": 0.5, "tau_recovery_ms": 200}},
    "pair STDP": {"plasticity": {"w_max_nA": 1e-3, "rule": {"model": "pair_stdp", "A_plus": 0.01, "A_minus": 0.0105,
                                                            "tau_plus_ms": 20, "tau_minus_ms": 20}}},
    "triplet STDP": {"plasticity": {"w_max_nA": 1e-3, "rule": {"model": "triplet_stdp", "A2_plus": 0, "A2_minus": 7.1e-3,
                                                               "A3_plus": 6.5e-3, "A3_minus": 0, "tau_plus_ms": 16.8,
                                                               "tau_minus_ms": 33.7}}},
    "inhibitory": {"plasticity": {"w_max_nA": 1e-3, "rule": {"model": "inhibitory", "eta": 1e-3, "tau_ms": 20,
                                                             "target_rate_hz": 5}}},
}


def recipe(point, size, duration_ms, current_nA, synapse=None):
    made = {"triscale_recipe": 1, "run": {"duration_ms": duration_ms, "dt_ms": 0.1},
            "cell_types": [{"name": "cell", "point": point}],
            "populations": [{"name": "cells", "size": size, "cell_type": "cell",
                             "V_init_mV": {"kind": "uniform", "low": -65, "high": -51}}],
            "inputs": [{"name": "dc", "kind": "current_step", "target": "cells", "begin_ms": 0, "end_ms": 1e9,
                        "amplitude_nA": current_nA}]}
    if synapse is not None:
        made["synapse_types"] = [dict({"name": "s", "point": {"model": "current_exponential", "tau_ms": 2, "sign": 1}},
                                      **synapse)]
        made["projections"] = [{"source": "cells", "target": "cells", "synapse_type": "s",
                                "rule": {"kind": "fixed_in_degree", "number": 500}, "weight_nA": 1e-5,
                                "delay_ms": {"kind": "uniform", "low": 0.5, "high": 3}}]
    return made


def run(program, made, threads):
    """The run with the shortest wall time of three."""
    results = []
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "recipe.json"
        path.write_text(json.dumps(made))
        for _ in range(3):
            subprocess.run([program, "run", str(path), "--tier", "point", "-o", folder, "--threads", str(threads), "--quiet"],
                           check=True, stdout=subprocess.DEVNULL)
            results.append(json.loads((pathlib.Path(folder) / "run.json").read_text()))
    return min(results, key=lambda r: r["wall_s"])


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("program")
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    print("| neuron | ns per neuron and step | times lif |\n|---|---|---|")
    first = None
    for name, (point, current) in NEURONS.items():
        result = run(arguments.program, recipe(point, 10000, 200, current), arguments.threads)
        cost = 1e9 * result["wall_s"] / (10000 * 2000)
        first = first or cost
        print(f"| {name} | {cost:.2f} | {cost / first:.1f} |", flush=True)
    print("\n| synapse | ns per event | times static |\n|---|---|---|")
    base, first = run(arguments.program, recipe(LIF, 2000, 500, 0.42), arguments.threads)["wall_s"], None
    for name, synapse in SYNAPSES.items():
        result = run(arguments.program, recipe(LIF, 2000, 500, 0.42, synapse), arguments.threads)
        cost = 1e9 * (result["wall_s"] - base) / (500 * result["spikes"])
        first = first or cost
        print(f"| {name} | {cost:.1f} | {cost / first:.1f} |", flush=True)


if __name__ == "__main__":
    main()
