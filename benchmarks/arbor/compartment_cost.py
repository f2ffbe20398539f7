"""Cost of a compartment-step in Arbor on the cells of ../neuron/compartment_cost.py, one thread.

    compartment_cost.py [--triscale PATH] [--cells N] [--duration-ms X] [--repeats N] [--only NAME ...]

Needs Arbor (`pip install arbor`). With --triscale both programs run in turn; the fastest of the repeats counts. Arbor's channels
are those of its Allen catalogue, its compartments as many and as long. Prints Markdown.
"""
import argparse
import os
import sys
import time

import arbor as A
from arbor import units as U

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "neuron"))
from compartment_cost import DT, WORKLOADS, parameters, triscale_ns  # noqa: E402

IGNORED = {"gl", "el", "gnabar", "gkbar"}  # hh's defaults are the workload's


class Cells(A.recipe):
    def __init__(self, workload, cells, dendrites):
        A.recipe.__init__(self)
        soma, dendrite, self.celsius, self.start = WORKLOADS[workload]
        self.count = cells
        tree = A.segment_tree()
        # The dendrites start in the middle of the soma.
        first = tree.append(A.mnpos, A.mpoint(-10, 0, 0, 10), A.mpoint(0, 0, 0, 10), tag=1)
        tree.append(first, A.mpoint(10, 0, 0, 10), tag=1)
        for i in range(dendrites):
            tree.append(first, A.mpoint(0, 0, i, 0.75), A.mpoint(200, 0, i, 0.75), tag=3)
        decor = A.decor()
        decor.set_property(Vm=self.start * U.mV, cm=0.01 * U.F / U.m2, rL=100 * U.Ohm * U.cm,
                           tempK=(self.celsius + 273.15) * U.Kelvin)
        decor.set_ion("na", rev_pot=50 * U.mV)
        decor.set_ion("k", rev_pot=-85 * U.mV)
        decor.paint("(all)", A.density(f"pas/e={self.start}", {"g": 5e-5}))
        used = set(soma) | set(dendrite)
        if "CaDynamics" in used:
            decor.set_ion("ca", int_con=1e-4 * U.mM, ext_con=2 * U.mM, method="nernst/x=ca")
        for tag, placed in ((1, soma), (3, dendrite)):
            for name, value in placed.items():
                values = {k: x for k, x in parameters(value).items() if k not in IGNORED}
                decor.paint(f"(tag {tag})", A.density(name, values))
        decor.place("(location 0 0.5)", A.i_clamp(0.2 * U.nA))
        policy = A.cv_policy_max_extent((200 / 11 + 1e-6) * U.um)
        self.cell = A.cable_cell(tree, decor, discretization=policy)
        self.properties = A.neuron_cable_properties()
        self.properties.catalogue = A.default_catalogue()
        self.properties.catalogue.extend(A.allen_catalogue(), "")

    def num_cells(self):
        return self.count

    def cell_kind(self, gid):
        return A.cell_kind.cable

    def cell_description(self, gid):
        return self.cell

    def global_properties(self, kind):
        return self.properties


def arbor_ns(workload, cells, dendrites, duration_ms):
    recipe = Cells(workload, cells, dendrites)
    simulation = A.simulation(recipe, A.context(threads=1))
    compartments = (1 + 11 * dendrites) * cells
    begin = time.perf_counter()
    simulation.run(duration_ms * U.ms, DT * U.ms)
    return 1e9 * (time.perf_counter() - begin) / (compartments * round(duration_ms / DT))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--triscale", help="the triscale program")
    parser.add_argument("--cells", type=int, default=8)
    parser.add_argument("--dendrites", type=int, default=24)
    parser.add_argument("--duration-ms", type=float, default=25)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--only", nargs="+", choices=list(WORKLOADS))
    args = parser.parse_args()
    print(f"Arbor {A.__version__}, {A.config()['arch']}, ns per compartment-step\n")
    print("| workload | Arbor | triscale | ratio |\n|---|---|---|---|")
    for workload in args.only or WORKLOADS:
        theirs, ours = [], []
        for _ in range(args.repeats):
            theirs.append(arbor_ns(workload, args.cells, args.dendrites, args.duration_ms))
            if args.triscale:
                ours.append(triscale_ns(args.triscale, workload, args.cells, args.dendrites, args.duration_ms,
                                        "backward_euler"))
        mine = f"{min(ours):.2f} | {min(theirs) / min(ours):.1f}" if ours else "|"
        print(f"| {workload} | {min(theirs):.1f} | {mine} |", flush=True)


if __name__ == "__main__":
    sys.exit(main())
