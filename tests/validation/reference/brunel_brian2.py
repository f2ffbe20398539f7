"""Reference numbers of a Brunel-type network from Brian2, for tests/validation/point_brunel_brian2.cpp.

N = 1000 conductance-based leaky integrate-and-fire neurons (800 excitatory, 200 inhibitory), fixed in-degree (80 and 20,
multapses and no autapses), exponential excitatory and biexponential inhibitory conductances, an independent Poisson train
to each neuron. Membrane between spikes by RK4. Each seed draws another network and other input.

Run:  python3 brunel_brian2.py brunel_brian2.json
"""

import json
import sys

import numpy as np
import brian2 as b
from brian2 import mV, ms, nS, pF, Hz, second

PARAMETERS = dict(
    n_exc=800, n_inh=200, k_exc=80, k_inh=20, dt_ms=0.1, warmup_ms=200.0, duration_ms=2200.0,
    C_m_nF=0.2, g_L_uS=0.01, E_L_mV=-70.0, V_threshold_mV=-50.0, V_reset_mV=-60.0, t_ref_ms=2.0,
    tau_exc_ms=3.0, E_exc_mV=0.0, tau_rise_inh_ms=0.5, tau_decay_inh_ms=6.0, E_inh_mV=-80.0,
    w_exc_uS=0.0006, w_inh_uS=0.0060, w_ext_uS=0.0010, delay_ms=1.5, rate_ext_hz=2000.0,
)
SEEDS = list(range(1, 11))


def draw_sources(rng, n_sources, targets, in_degree, same_population_offset):
    """In-degree sources for each target, with replacement, not the target itself."""
    i, j = [], []
    for target in targets:
        own = target - same_population_offset
        candidates = n_sources - (1 if 0 <= own < n_sources else 0)
        drawn = rng.integers(0, candidates, in_degree)
        if 0 <= own < n_sources:
            drawn = drawn + (drawn >= own)
        i.append(drawn)
        j.append(np.full(in_degree, target))
    return np.concatenate(i), np.concatenate(j)


def run(seed, p):
    b.start_scope()
    b.prefs.codegen.target = "cython"
    b.defaultclock.dt = p["dt_ms"] * ms
    b.seed(seed)
    rng = np.random.default_rng(seed)
    n = p["n_exc"] + p["n_inh"]
    tau_r, tau_d = p["tau_rise_inh_ms"], p["tau_decay_inh_ms"]
    t_peak = tau_r * tau_d / (tau_d - tau_r) * np.log(tau_d / tau_r)
    norm = 1 / (np.exp(-t_peak / tau_d) - np.exp(-t_peak / tau_r))
    names = dict(
        C=p["C_m_nF"] * 1e3 * pF, gL=p["g_L_uS"] * 1e3 * nS, EL=p["E_L_mV"] * mV, Ee=p["E_exc_mV"] * mV,
        Ei=p["E_inh_mV"] * mV, te=p["tau_exc_ms"] * ms, tr=tau_r * ms, td=tau_d * ms, VT=p["V_threshold_mV"] * mV,
        Vr=p["V_reset_mV"] * mV, we=p["w_exc_uS"] * 1e3 * nS, wi=p["w_inh_uS"] * 1e3 * norm * nS,
        wx=p["w_ext_uS"] * 1e3 * nS,
    )
    neurons = b.NeuronGroup(
        n,
        """dv/dt = (gL*(EL - v) + ge*(Ee - v) + (gd - gr)*(Ei - v))/C : volt (unless refractory)
           dge/dt = -ge/te : siemens
           dgd/dt = -gd/td : siemens
           dgr/dt = -gr/tr : siemens""",
        threshold="v >= VT", reset="v = Vr", refractory=p["t_ref_ms"] * ms, method="rk4", namespace=names,
    )
    neurons.v = p["E_L_mV"] * mV
    exc, inh = neurons[: p["n_exc"]], neurons[p["n_exc"] :]
    s_exc = b.Synapses(exc, neurons, on_pre="ge_post += we", delay=p["delay_ms"] * ms, namespace=names)
    i, j = draw_sources(rng, p["n_exc"], range(n), p["k_exc"], 0)
    s_exc.connect(i=i, j=j)
    s_inh = b.Synapses(inh, neurons, on_pre="gd_post += wi; gr_post += wi", delay=p["delay_ms"] * ms, namespace=names)
    i, j = draw_sources(rng, p["n_inh"], range(n), p["k_inh"], p["n_exc"])
    s_inh.connect(i=i, j=j)
    # PoissonInput draws the number of spikes of a step, so several in one step count.
    drive = b.PoissonInput(neurons, "ge", N=20, rate=p["rate_ext_hz"] / 20 * Hz, weight=names["wx"])
    monitor = b.SpikeMonitor(neurons)
    b.Network(neurons, s_exc, s_inh, drive, monitor).run(p["duration_ms"] * ms, namespace=names)
    result = {}
    times = {k: v / ms for k, v in monitor.spike_trains().items()}
    for name, cells in (("exc", range(p["n_exc"])), ("inh", range(p["n_exc"], n))):
        trains = [times[c][times[c] > p["warmup_ms"]] for c in cells]
        seconds = (p["duration_ms"] - p["warmup_ms"]) * 1e-3
        intervals = [np.diff(t) for t in trains if len(t) >= 5]
        result[f"rate_{name}_hz"] = float(np.mean([len(t) for t in trains]) / seconds)
        result[f"cv_{name}"] = float(np.mean([np.std(x) / np.mean(x) for x in intervals]))
    return result


def main():
    results = []
    for seed in SEEDS:
        results.append({"seed": seed, **run(seed, PARAMETERS)})
        print(results[-1], file=sys.stderr, flush=True)
    keys = [k for k in results[0] if k != "seed"]
    summary = {
        k: {"mean": float(np.mean([r[k] for r in results])), "sd": float(np.std([r[k] for r in results], ddof=1))}
        for k in keys
    }
    with open(sys.argv[1], "w", encoding="utf-8") as out:
        json.dump({"simulator": f"Brian2 {b.__version__}", "parameters": PARAMETERS, "summary": summary,
                   "seeds": results}, out, indent=1)
        out.write("\n")


if __name__ == "__main__":
    main()
