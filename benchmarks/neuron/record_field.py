"""Extracellular potential of a SONATA circuit from NEURON's membrane currents and a line-source matrix made here.

    record_field.py CONFIG.json --electrodes CSV -o OUT.h5 [--duration-ms X] [--mechanisms LIBRARY] [--stationary-nav]
                    [--compare ECP.h5]
                    [--json OUT.json --channels 0,5 --times 500,560,0.5]

OUT.h5 has /ecp/data (times x channels, mV) with one row a step, the first at t = 0. --compare prints how far another file of
that form is away. --json writes some channels and times (begin, end, step in ms), for tests.

The matrix is written from Holt & Koch (1999): current leaves a segment evenly along the straight line between the ends of
the segment on the section's axis; the distance from the axis is at least half the diameter; 0.3 S/m. A cell is moved so that
the middle of its soma is at the origin, rotated about z, then y, then x, and moved to its place.
"""
import argparse
import json
import os
import subprocess
import sys
import tempfile

import h5py
import numpy as np

SIGMA_S_m = 0.3


def axis_of(section):
    from neuron import h
    n = section.n3d()
    points = np.array([[h.x3d(i, sec=section), h.y3d(i, sec=section), h.z3d(i, sec=section)] for i in range(n)])
    arc = np.array([h.arc3d(i, sec=section) for i in range(n)])
    return arc / arc[-1], points


def interpolate(axis, fractions):
    arc, points = axis
    return np.stack([np.interp(fractions, arc, points[:, k]) for k in range(3)], axis=1)


def segments_of(cell):
    """Start, end and diameter of every segment, in the order of cell.sections, with the soma's middle at the origin."""
    soma = interpolate(axis_of(cell.soma[0]), [0.5])[0]
    direction = np.array([0.0, -1.0, 0.0])
    if cell.axon_tip is not None:
        direction = (cell.axon_tip - soma) / np.linalg.norm(cell.axon_tip - soma)
    starts, ends, diameters = [], [], []
    for section in cell.sections:
        edges = np.linspace(0, 1, section.nseg + 1)
        if section in cell.axon:
            first = sum(other.L for other in cell.axon[:cell.axon.index(section)])
            places = soma + (first + edges[:, None] * section.L) * direction
        else:
            places = interpolate(axis_of(section), edges)
        starts.append(places[:-1] - soma)
        ends.append(places[1:] - soma)
        diameters.append([segment.area() / (np.pi * section.L / section.nseg) for segment in section])
    return np.concatenate(starts), np.concatenate(ends), np.concatenate(diameters)


def rotation(node):
    x, y, z = (float(node.get(f"rotation_angle_{a}axis", 0.0)) for a in "xyz")
    about_x = np.array([[1, 0, 0], [0, np.cos(x), -np.sin(x)], [0, np.sin(x), np.cos(x)]])
    about_y = np.array([[np.cos(y), 0, np.sin(y)], [0, 1, 0], [-np.sin(y), 0, np.cos(y)]])
    about_z = np.array([[np.cos(z), -np.sin(z), 0], [np.sin(z), np.cos(z), 0], [0, 0, 1]])
    return about_x @ about_y @ about_z


def line_source_matrix(electrodes, starts, ends, diameters):
    """(channels x segments), mV per nA"""
    axis = ends - starts
    length = np.linalg.norm(axis, axis=1)
    unit = axis / length[:, None]
    from_start = electrodes[:, None, :] - starts[None]
    along = np.einsum("csk,sk->cs", from_start, unit)
    across = np.linalg.norm(from_start - along[..., None] * unit, axis=2)
    across = np.maximum(across, 0.5 * diameters)
    return (np.arcsinh(along / across) - np.arcsinh((along - length) / across)) / (4 * np.pi * SIGMA_S_m * length)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("config")
    parser.add_argument("--electrodes", required=True)
    parser.add_argument("-o", "--output", required=True)
    parser.add_argument("--duration-ms", type=float)
    parser.add_argument("--mechanisms", help="library made by build_mechanisms.sh")
    parser.add_argument("--stationary-nav", action="store_true",
                        help="start NaV at its steady state, as triscale does, not where the published file starts")
    parser.add_argument("--compare")
    parser.add_argument("--json")
    parser.add_argument("--channels", default="0")
    parser.add_argument("--times", default="0,10,1")
    args = parser.parse_args()

    here = os.path.dirname(os.path.abspath(__file__))
    sys.path.insert(0, here)
    library = args.mechanisms
    if library is None:
        folder = tempfile.mkdtemp()
        subprocess.run([os.path.join(here, "build_mechanisms.sh"), folder], check=True, stdout=subprocess.DEVNULL)
        library = os.path.join(folder, "libtriscale_mech.so")
    from neuron import h
    from circuit import Network, load_config, read_table
    h.load_file("stdrun.hoc")
    h.load_file("import3d.hoc")
    h.nrn_load_dll(os.path.abspath(library))

    config = load_config(args.config)
    rows = read_table(args.electrodes)
    electrodes = np.array([[float(row[k]) for k in ("x_pos", "y_pos", "z_pos")] for row in rows])
    channel_id = np.array([int(row["channel"]) for row in rows])
    network = Network(config)
    h.CVode().use_fast_imem(1)
    h.celsius = float(config.get("conditions", {}).get("celsius", 34.0))
    h.published_start_NaV = 0 if args.stationary_nav else 1
    h.dt = float(config["run"]["dt"])
    h.steps_per_ms = 1 / h.dt

    matrices, currents = [], []
    for gid, cell in network.cells.items():
        population, node_id = network.population_of(gid)
        node = network.populations[population][node_id]
        starts, ends, diameters = segments_of(cell)
        turn, place = rotation(node), np.array([float(node.get(k, 0.0)) for k in "xyz"])
        matrices.append(line_source_matrix(electrodes, starts @ turn.T + place, ends @ turn.T + place, diameters))
        for section in cell.sections:
            currents += [segment._ref_i_membrane_ for segment in section]
    matrix = np.concatenate(matrices, axis=1)
    pointers, gathered = h.PtrVector(len(currents)), h.Vector(len(currents))
    for i, pointer in enumerate(currents):
        pointers.pset(i, pointer)

    network.pc.set_maxstep(10)
    h.finitialize(float(config.get("conditions", {}).get("v_init", -80.0)))
    steps = round((args.duration_ms or float(config["run"]["tstop"])) / h.dt)
    data = np.zeros((steps, len(electrodes)))
    for step in range(1, steps):
        network.pc.psolve(step * h.dt)
        pointers.gather(gathered)
        data[step] = matrix @ gathered.as_numpy()
    with h5py.File(args.output, "w") as f:
        f.create_dataset("ecp/data", data=data).attrs["units"] = "mV"
        f["ecp/channel_id"] = channel_id
        f.create_dataset("ecp/time", data=[0, steps * h.dt, h.dt]).attrs["units"] = "ms"
    if args.json:
        channels = [int(c) for c in args.channels.split(",")]
        begin, end, every = (round(float(t) / h.dt) for t in args.times.split(","))
        chosen = [int(np.flatnonzero(channel_id == c)[0]) for c in channels]
        values = {"simulator": "NEURON " + h.nrnversion(5), "channels": channels, "dt_ms": h.dt,
                  "first_row": begin, "rows_apart": every,
                  "ecp_mV": [[float(f"{x:.9g}") for x in data[row, chosen]] for row in range(begin, end, every)]}
        with open(args.json, "w") as f:
            f.write(json.dumps(values).replace("], [", "],\n  [") + "\n")
    if args.compare:
        with h5py.File(args.compare, "r") as f:
            other = f["ecp/data"][:steps]
        rows = min(len(other), steps)
        difference, size = np.abs(other[:rows] - data[:rows]), np.abs(data[:rows])
        relative = difference.max(0) / size.max(0)
        print(f"{rows} rows, {len(electrodes)} channels: largest potential {size.max():.6g} mV, "
              f"largest difference {difference.max():.3g} mV; of a channel relative to its largest potential: "
              f"median {np.median(relative):.3g}, largest {relative.max():.3g}")


if __name__ == "__main__":
    main()
