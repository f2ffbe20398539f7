"""Cost of a compartment-step in CoreNEURON on the cells of compartment_cost.py, one thread.

    coreneuron_cost.py [--triscale PATH] [--cells N] [--duration-ms X] [--repeats N] [--only NAME ...]

Needs a NEURON with CoreNEURON (`pip install neuron`) and its `nrnivmodl` on the PATH; the channels of mod/ are built in a temporary
folder. With --triscale both programs run in turn; the fastest of the repeats counts. The time of a step is the difference between two
runs, one twice as long, because each run copies the model to CoreNEURON and back. NaV is left out: CoreNEURON 9.0.2's translator makes
code of its two implicit blocks that does not compile. Prints Markdown.
"""
import argparse
import glob
import os
import shutil
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from compartment_cost import DT, NeuronCells, WORKLOADS, triscale_ns  # noqa: E402

WITHOUT_NAV = [name for name, (soma, dendrite, _, _) in WORKLOADS.items() if "NaV" not in soma and "NaV" not in dendrite]


def load_channels(folder):
    here = os.path.dirname(os.path.abspath(__file__))
    mod = os.path.join(folder, "mod")
    os.makedirs(mod)
    for path in glob.glob(os.path.join(here, "mod", "*.mod")):
        if os.path.basename(path) != "NaV.mod":
            shutil.copy(path, mod)
    subprocess.run(["nrnivmodl", "-coreneuron", "mod"], cwd=folder, check=True, stdout=subprocess.DEVNULL,
                   stderr=subprocess.DEVNULL)
    os.environ["CORENEURONLIB"] = next(iter(glob.glob(os.path.join(folder, "*", "libcorenrnmech.so"))))
    from neuron import h
    h.nrn_load_dll(next(iter(glob.glob(os.path.join(folder, "*", "libnrnmech.so")))))
    h.load_file("stdrun.hoc")
    return h


def run_seconds(h, cells, duration_ms):
    from neuron import coreneuron
    coreneuron.enable, coreneuron.verbose = True, 0
    context = h.ParallelContext()
    context.set_maxstep(10)
    h.CVode().cache_efficient(1)
    h.dt, h.steps_per_ms, h.usetable_hh = DT, 1 / DT, 0
    h.stdinit()
    h.finitialize(cells.start)
    begin = time.perf_counter()
    context.psolve(duration_ms)
    return time.perf_counter() - begin


def coreneuron_ns(h, cells, duration_ms):
    short, long = run_seconds(h, cells, duration_ms), run_seconds(h, cells, 2 * duration_ms)
    return 1e9 * (long - short) / (cells.compartments * round(duration_ms / DT))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--triscale", help="the triscale program")
    parser.add_argument("--cells", type=int, default=8)
    parser.add_argument("--dendrites", type=int, default=24)
    parser.add_argument("--duration-ms", type=float, default=25)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--only", nargs="+", choices=WITHOUT_NAV)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        h = load_channels(folder)
        print("| workload | CoreNEURON | triscale | ratio |\n|---|---|---|---|")
        for workload in args.only or WITHOUT_NAV:
            cells = NeuronCells(h, workload, args.cells, args.dendrites)
            theirs, ours = [], []
            for _ in range(args.repeats):
                theirs.append(coreneuron_ns(h, cells, args.duration_ms))
                if args.triscale:
                    ours.append(triscale_ns(args.triscale, workload, args.cells, args.dendrites, args.duration_ms,
                                            "backward_euler"))
            del cells
            mine = f"{min(ours):.2f} | {min(theirs) / min(ours):.1f}" if ours else "|"
            print(f"| {workload} | {min(theirs):.1f} | {mine} |", flush=True)


if __name__ == "__main__":
    sys.exit(main())
