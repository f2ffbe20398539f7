"""Runs a SONATA circuit in NEURON with the fixed-step method, as BMTK BioNet does.

    run_sonata.py CONFIG.json -o DIR [--duration-ms X] [--dt-ms X] [--mechanisms LIBRARY]

Writes DIR/spikes.h5 (SONATA spikes) and DIR/run.json (setup_s, wall_s and sizes). LIBRARY is what
build_mechanisms.sh made; it is built into DIR if the option is missing.
"""
import argparse
import json
import os
import subprocess
import sys
import time


def write_spikes(path, spikes):
    import h5py
    import numpy as np
    with h5py.File(path + ".part", "w") as f:
        f.attrs["magic"] = np.uint32(0x0A7A)
        f.attrs["version"] = np.array([0, 1], dtype=np.uint32)
        for population, (times, ids) in spikes.items():
            order = np.lexsort((ids, times))
            group = f.create_group("spikes/" + population)
            group.attrs.create("sorting", 2, dtype=h5py.enum_dtype({"none": 0, "by_id": 1, "by_time": 2}, "u1"))
            group.create_dataset("timestamps", data=np.asarray(times, float)[order]).attrs["units"] = "ms"
            group.create_dataset("node_ids", data=np.asarray(ids, np.uint64)[order])
    os.replace(path + ".part", path)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("config")
    parser.add_argument("-o", "--output", required=True)
    parser.add_argument("--duration-ms", type=float)
    parser.add_argument("--dt-ms", type=float)
    parser.add_argument("--mechanisms", help="library made by build_mechanisms.sh")
    parser.add_argument("--stationary-nav", action="store_true",
                        help="start NaV in its steady state, not where the published file starts (see mod/NaV.mod)")
    args = parser.parse_args()

    os.makedirs(args.output, exist_ok=True)
    here = os.path.dirname(os.path.abspath(__file__))
    library = args.mechanisms
    if library is None:
        subprocess.run([os.path.join(here, "build_mechanisms.sh"), args.output], check=True, stdout=subprocess.DEVNULL)
        library = os.path.join(args.output, "libtriscale_mech.so")

    start = time.perf_counter()
    sys.path.insert(0, here)
    from neuron import h
    from circuit import Network, load_config
    h.load_file("stdrun.hoc")
    h.load_file("import3d.hoc")
    h.nrn_load_dll(os.path.abspath(library))

    config = load_config(args.config)
    run = config["run"]
    dt_ms = args.dt_ms or float(run["dt"])
    duration_ms = args.duration_ms or float(run["tstop"])
    network = Network(config)
    pc = network.pc

    h.CVode().cache_efficient(1)
    h.celsius = float(config.get("conditions", {}).get("celsius", 34.0))
    h.published_start_NaV = 0 if args.stationary_nav else 1
    h.dt = dt_ms
    h.steps_per_ms = 1 / dt_ms
    times, gids = h.Vector(), h.Vector()
    pc.spike_record(-1, times, gids)
    pc.set_maxstep(10)
    h.finitialize(float(config.get("conditions", {}).get("v_init", -80.0)))
    ready, cpu = time.perf_counter(), time.process_time()
    pc.psolve(duration_ms)
    end, cpu = time.perf_counter(), time.process_time() - cpu

    spikes = {name: ([], []) for name, nodes in network.populations.items() if nodes[0]["model_type"] != "virtual"}
    for t, gid in zip(times, gids):
        name, node_id = network.population_of(int(gid))
        if name in spikes:
            spikes[name][0].append(t)
            spikes[name][1].append(node_id)
    write_spikes(os.path.join(args.output, "spikes.h5"), spikes)
    summary = {
        "tier": "detailed",
        "simulator": "NEURON " + h.nrnversion(5),
        "config": os.path.abspath(args.config),
        "threads": 1,
        "dt_ms": dt_ms,
        "simulated_ms": duration_ms,
        "setup_s": ready - start,
        "wall_s": end - ready,
        "cpu_s": cpu,
        "realtime_factor": 1000 * (end - ready) / duration_ms,
        "cells": len(network.cells),
        "compartments": network.compartments(),
        "synapses": network.synapses,
        "spikes": sum(len(t) for t, _ in spikes.values()),
    }
    with open(os.path.join(args.output, "run.json"), "w") as f:
        json.dump(summary, f, indent=2)
        f.write("\n")
    print(json.dumps(summary, indent=2))


if __name__ == "__main__":
    main()
