#!/usr/bin/env python3
"""Spikes of the small PointNet circuit of tests/io/pointnet.cpp in NEST, made by hand in NEST's own words.

Needs NEST 3.10. Prints, for each neuron model, (node, time in ms) of all spikes; the test holds triscale to them.
"""
import nest

EXCITATORY = {"C_m": 180.0, "tau_m": 22.2, "t_ref": 3.0, "E_L": -72.0, "V_th": -55.0, "V_reset": -65.0, "I_e": 80.0}
INHIBITORY = {"C_m": 100.0, "tau_m": 8.0, "E_L": -71.0, "V_th": -56.0, "V_m": -66.0}
GLIF = {"V_m": -70.5, "V_th": -44.2, "g": 9.2, "E_L": -70.5, "C_m": 81.2, "t_ref": 1.5, "V_reset": -70.5,
        "asc_init": [0.0, 0.0], "asc_decay": [0.003, 0.3], "asc_amps": [-4.1, -292.0], "tau_syn": [5.5, 8.5, 2.8, 5.8],
        "spike_dependent_threshold": False, "after_spike_currents": True, "adapting_threshold": False}
SYNAPSES = {"tau_syn_ex": 1.5, "tau_syn_in": 4.0}
EXTERNAL_SPIKES_MS = [[3.0, 9.0, 9.0, 20.0, 31.0, 40.0, 52.0, 60.0], [5.0, 9.0, 25.0, 33.0, 47.0, 61.0, 77.0]]


def connect(source, target, weight, delay_ms, port):
    nest.Connect(source, target, syn_spec={"weight": weight, "delay": delay_ms, "receptor_type": port})


def run(model, external, excitatory, inhibitory):
    nest.ResetKernel()
    nest.resolution = 0.1
    cells = nest.Create(model, 4)
    port = 3 if model == "glif_psc" else 0
    if model == "glif_psc":
        cells.set(**GLIF)
    else:
        cells[:3].set(**EXCITATORY)
        cells[3].set(**(INHIBITORY if model == "iaf_psc_delta" else INHIBITORY | SYNAPSES))
    sources = [nest.Create("spike_generator", params={"spike_times": times}) for times in EXTERNAL_SPIKES_MS]
    for source, target in ((0, 0), (1, 1), (0, 2), (1, 3)):
        connect(sources[source], cells[target], external[source], 2.0 if target < 3 else 1.5, port)
    connect(cells[3], cells[0], 3 * inhibitory, 1.0, port)  # nsyns = 3
    connect(cells[0], cells[3], 2 * excitatory, 1.0, port)  # nsyns = 2
    recorder = nest.Create("spike_recorder")
    nest.Connect(cells, recorder)
    nest.Simulate(100.0)
    events = recorder.events
    return [(int(s) - 1, round(float(t), 1)) for s, t in zip(events["senders"], events["times"])]


for name, weights in (("iaf_psc_alpha", ([900.0, 1100.0], 300.0, -400.0)), ("iaf_psc_exp", ([900.0, 1100.0], 300.0, -400.0)),
                      ("iaf_psc_delta", ([9.0, 11.0], 3.0, -4.0)), ("glif_psc", ([900.0, 1100.0], 300.0, -400.0))):
    print(name, run(name, *weights))
