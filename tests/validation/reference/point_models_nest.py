#!/usr/bin/env python3
"""Spikes of small deterministic networks of point neurons by NEST 3.10 and Brian2 2.9; writes point_models_nest.json.

Every network is four cells of one model in a ring, each with its own constant current; the connections have different
weights and delays. tests/validation/point_models_nest.cpp runs the same networks.

    python3 point_models_nest.py      (needs: pip install nest-simulator brian2)
"""
import json
import os

import nest

CURRENTS_PA = [320.0, 350.0, 300.0, 380.0]
DELAYS_MS = [1.0, 1.5, 2.3, 0.7]
DURATION_MS = 500.0

GLIF = {"V_m": -75.0, "V_th": -48.0, "g": 5.0, "E_L": -75.0, "C_m": 100.0, "t_ref": 3.0, "V_reset": -75.0, "tau_syn": [2.0],
        "asc_init": [0.0, 0.0], "asc_decay": [0.003, 0.1], "asc_amps": [-9.0, -120.0], "asc_r": [1.0, 0.8],
        "th_spike_add": 2.0, "th_spike_decay": 0.02, "voltage_reset_fraction": 0.3, "voltage_reset_add": 3.0,
        "th_voltage_index": 0.006, "th_voltage_decay": 0.08}


def glif(number):
    return dict(GLIF, spike_dependent_threshold=number in (2, 4, 5), after_spike_currents=number in (3, 4, 5),
                adapting_threshold=number == 5)


def run(model, parameters, weights, dt_ms, currents_pA=CURRENTS_PA, generator=False):
    nest.ResetKernel()
    nest.set_verbosity("M_ERROR")
    nest.resolution = dt_ms
    cells = nest.Create(model, 4, params=parameters)
    if generator:  # the model has no current of its own
        for cell, current in zip(cells, currents_pA):
            nest.Connect(nest.Create("dc_generator", params={"amplitude": current}), cell, syn_spec={"delay": dt_ms})
    else:
        cells.I_e = currents_pA
    if weights:
        for i in range(4):
            synapse = {"weight": weights[i], "delay": DELAYS_MS[i]}
            if generator:
                synapse["receptor_type"] = 1
            nest.Connect(cells[i], cells[(i + 1) % 4], syn_spec=synapse)
    recorder = nest.Create("spike_recorder")
    nest.Connect(cells, recorder)
    nest.Simulate(DURATION_MS)
    times, senders = recorder.events["times"], recorder.events["senders"]
    first = cells[0].get("global_id")
    spikes = sorted((round(t / dt_ms), int(s) - first) for t, s in zip(times, senders))
    return {"dt_ms": dt_ms, "currents_pA": currents_pA, "weights": weights, "delays_ms": DELAYS_MS,
            "duration_ms": DURATION_MS, "steps": [s for s, _ in spikes], "cells": [c for _, c in spikes]}


def izhikevich(dt_ms):
    """Brian2, fourth-order Runge-Kutta at a fiftieth of the step, spikes on the grid of dt."""
    import brian2 as b
    import numpy as np
    b.prefs.codegen.target = "numpy"
    fine = dt_ms / 50
    b.defaultclock.dt = fine * b.ms
    cells = b.NeuronGroup(4, """
        dv/dt = (0.7 * (v + 60) * (v + 40) - u + I) / 100 / ms : 1
        du/dt = 0.03 * (-2 * (v + 60) - u) / ms : 1
        I : 1""", threshold="v >= 35", reset="v = -50; u += 100", method="rk4")
    cells.v = -60
    cells.I = [70.0, 100.0, 85.0, 120.0]
    monitor = b.SpikeMonitor(cells)
    b.Network(cells, monitor).run(DURATION_MS * b.ms)
    times = np.asarray(monitor.t / b.ms) + fine
    order = np.lexsort((np.asarray(monitor.i), times))
    return {"dt_ms": dt_ms, "currents_pA": [70.0, 100.0, 85.0, 120.0], "duration_ms": DURATION_MS,
            "times_ms": [round(float(times[k]), 4) for k in order], "cells": [int(monitor.i[k]) for k in order]}


def main():
    lif = {"C_m": 250.0, "tau_m": 10.0, "E_L": -65.0, "V_reset": -65.0, "V_th": -50.0, "t_ref": 2.0, "V_m": -65.0}
    adex = {"C_m": 200.0, "g_L": 10.0, "E_L": -70.0, "V_th": -50.0, "Delta_T": 2.0, "V_peak": 0.0, "V_reset": -58.0,
            "t_ref": 2.0, "a": 2.0, "b": 60.0, "tau_w": 120.0, "V_m": -70.0, "gsl_error_tol": 1e-9}
    strong = [480.0, 560.0, 400.0, 620.0]
    networks = {
        "lif_exponential": run("iaf_psc_exp", dict(lif, tau_syn_ex=0.5, tau_syn_in=0.5), [200.0, -150.0, 400.0, 300.0],
                               0.1, strong),
        "lif_alpha": run("iaf_psc_alpha", dict(lif, tau_syn_ex=2.0, tau_syn_in=2.0), [60.0, -50.0, 90.0, 80.0], 0.1,
                         strong),
        "lif_delta": run("iaf_psc_delta", lif, [1.5, -1.0, 2.5, 2.0], 0.1, strong),
        "adex_exponential": run("aeif_psc_exp", dict(adex, tau_syn_ex=2.0, tau_syn_in=2.0), [60.0, -50.0, 90.0, 80.0],
                                0.01, [260.0, 300.0, 240.0, 350.0]),
        "adex_conductance": run("aeif_cond_exp", dict(adex, tau_syn_ex=2.0, tau_syn_in=2.0, E_ex=0.0, E_in=-80.0),
                                [2.0, -3.0, 2.5, 1.5], 0.01, [260.0, 300.0, 240.0, 350.0]),
        "lif_conductance": run("iaf_cond_exp", {"C_m": 250.0, "g_L": 25.0, "E_L": -65.0, "V_reset": -65.0, "V_th": -50.0,
                                                "t_ref": 2.0, "V_m": -65.0, "tau_syn_ex": 2.0, "tau_syn_in": 2.0,
                                                "E_ex": 0.0, "E_in": -80.0},
                               [4.0, -6.0, 5.0, 3.0], 0.01, strong),
        "izhikevich": izhikevich(0.1),
    }
    for number in range(1, 6):
        weights = [60.0, -50.0, 90.0, 80.0] if number < 5 else []
        networks[f"glif{number}"] = run("glif_psc", glif(number), weights, 0.1, [200.0, 240.0, 180.0, 260.0], True)
    folder = os.path.dirname(os.path.abspath(__file__))
    with open(os.path.join(folder, "point_models_nest.json"), "w") as file:
        text = json.dumps(networks)
        file.write(text.replace('}, "', '},\n"') + "\n")
    for name, network in networks.items():
        print(name, len(network["cells"]))


if __name__ == "__main__":
    main()
