#!/usr/bin/env python3
"""Makes a PointNet circuit out of a biophysical one: the same cells, connections and input, with the point cells, the
synapses and the weights that are written by hand for it.

    pointnet_circuit.py CONFIG CELLS OUT NODES.csv TYPES.csv EXTERNAL.csv

CONFIG: circuit config of the biophysical network; CELLS: folder of PointNet cell files; OUT: a new folder. The tables are those
of a PointNet network (SONATA's node and edge types): NODES gives each node_type_id its cell file and template, TYPES and
EXTERNAL each edge_type_id its weight per synapse, delay and template. Run it with `triscale run OUT/config.simulation.json
--tier point` after giving the simulation config (run, inputs) of the biophysical network the new circuit.
"""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import h5py


def resolved(config: dict, base: Path, text: str) -> Path:
    names = {**config.get("manifest", {}), "${configdir}": str(base)}
    for _ in range(10):
        for name, value in names.items():
            text = text.replace(name, value)
    return (base / text).resolve()


def without_weights(source: Path, target: Path) -> None:
    """Copies edges and leaves out what single edges say: weights and places of the biophysical network."""
    with h5py.File(source) as old, h5py.File(target, "w") as new:
        for key, value in old.attrs.items():
            new.attrs[key] = value
        old.copy("edges", new)
        for population in new["edges"].values():
            for name in list(population["0"]):
                del population["0"][name]


def main(arguments: list[str]) -> int:
    if len(arguments) != 6:
        print(__doc__, file=sys.stderr)
        return 2
    config_file, cells, out, *tables = map(Path, arguments)
    config = json.loads(config_file.read_text())
    base = config_file.parent
    (out / "network").mkdir(parents=True)
    shutil.copytree(cells, out / "cells")
    (out / "synapses").mkdir()
    for name in ("exc.json", "inh.json"):
        (out / "synapses" / name).write_text("{}")
    networks = {"nodes": [], "edges": []}
    for k, nodes in enumerate(config["networks"]["nodes"]):
        file, types = (resolved(config, base, nodes[key]) for key in ("nodes_file", "node_types_file"))
        shutil.copy(file, out / "network" / file.name)
        shutil.copy(tables[0] if k == 0 else types, out / "network" / types.name)
        networks["nodes"].append({"nodes_file": f"network/{file.name}", "node_types_file": f"network/{types.name}"})
    for edges, table in zip(config["networks"]["edges"], tables[1:]):
        file, types = (resolved(config, base, edges[key]) for key in ("edges_file", "edge_types_file"))
        without_weights(file, out / "network" / file.name)
        shutil.copy(table, out / "network" / types.name)
        networks["edges"].append({"edges_file": f"network/{file.name}", "edge_types_file": f"network/{types.name}"})
    circuit = {"manifest": {}, "target_simulator": "NEST", "networks": networks,
               "components": {"point_neuron_models_dir": "cells", "synaptic_models_dir": "synapses"}}
    (out / "config.circuit.json").write_text(json.dumps(circuit, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
