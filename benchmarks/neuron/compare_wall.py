"""Times triscale's detailed tier and NEURON on the same circuit, back to back.

    compare_wall.py CONFIG.json --triscale PATH [--repeats N] [--threads N] [--duration-ms X] [--dt-ms X]

Each repeat runs one simulator right after the other, so that a busy machine hurts both alike. Set-up (reading and building)
and simulation are timed by the programs themselves and reported apart; the ratio is NEURON over triscale, of the medians.
NEURON runs on one thread; triscale runs on --threads, 1 unless told otherwise.
"""
import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile


def run(command, folder):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if done.returncode != 0:
        sys.stderr.write(done.stdout + done.stderr)
        raise SystemExit(f"{command[0]} ended with {done.returncode}")
    with open(os.path.join(folder, "run.json")) as f:
        return json.load(f)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("config")
    parser.add_argument("--triscale", default="triscale", help="the triscale program")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--threads", type=int, default=1, help="threads of triscale")
    parser.add_argument("--duration-ms")
    parser.add_argument("--dt-ms")
    parser.add_argument("--mechanisms", help="library made by build_mechanisms.sh")
    parser.add_argument("--python", default=sys.executable, help="the Python that has NEURON")
    parser.add_argument("-o", "--output", help="folder to keep the results in")
    args = parser.parse_args()

    here = os.path.dirname(os.path.abspath(__file__))
    options = []
    if args.duration_ms:
        options += ["--duration-ms", args.duration_ms]
    if args.dt_ms:
        options += ["--dt-ms", args.dt_ms]

    with tempfile.TemporaryDirectory() as scratch:
        top = os.path.abspath(args.output or scratch)
        os.makedirs(top, exist_ok=True)
        library = args.mechanisms
        if library is None:
            subprocess.run([os.path.join(here, "build_mechanisms.sh"), top], check=True, stdout=subprocess.DEVNULL)
            library = os.path.join(top, "libtriscale_mech.so")

        results = {"triscale": [], "NEURON": []}
        for i in range(args.repeats):
            for name in results:
                folder = os.path.join(top, f"{name.lower()}_{i}")
                if name == "triscale":
                    command = [args.triscale, "run", args.config, "--tier", "detailed", "-o", folder, "--quiet",
                               "--threads", str(args.threads)]
                else:
                    command = [args.python, os.path.join(here, "run_sonata.py"), args.config, "-o", folder,
                               "--mechanisms", library]
                results[name].append(run(command + options, folder))
                last = results[name][-1]
                print(f"{i + 1}/{args.repeats} {name}: setup {last['setup_s']:.2f} s, run {last['wall_s']:.2f} s",
                      file=sys.stderr)

    def median(name, key):
        return statistics.median(r[key] for r in results[name])

    print(f"{'median of ' + str(args.repeats):16s} {'setup_s':>10s} {'wall_s':>10s} {'realtime':>10s} {'spikes':>8s}")
    for name in results:
        last = results[name][-1]
        print(f"{name:16s} {median(name, 'setup_s'):10.3f} {median(name, 'wall_s'):10.3f} "
              f"{1000 * median(name, 'wall_s') / last['simulated_ms']:10.3f} {last['spikes']:8d}")
    print(f"{'ratio':16s} {median('NEURON', 'setup_s') / median('triscale', 'setup_s'):10.1f} "
          f"{median('NEURON', 'wall_s') / median('triscale', 'wall_s'):10.1f}")


if __name__ == "__main__":
    main()
