#!/usr/bin/env python3
"""Writes a recipe of the cortical microcircuit of Potjans & Diesmann (2014), Cereb Cortex 24:785, at any scale.

    make_recipe.py --drive dc|poisson [--scale N] [--synapse-scale K] [--thalamic] [--transient] [--seed S]
                   [--duration-ms T] [--escape-noise] -o recipe.json

Numbers of neurons are multiplied by N, numbers of synapses per neuron by K (default: N). With K < 1 the weights grow by
1/sqrt(K), which keeps the variance of the input, and a constant current replaces the mean input that is lost (van Albada,
Helias & Diesmann 2015, PLoS Comput Biol 11:e1004490), computed from the mean rates of the full circuit.

--escape-noise: cells with a soft threshold and constant currents in place of the drive, the form in which the circuit can be run
as mesoscopic populations (Schwalger, Deger & Gerstner 2017, PLoS Comput Biol 13:e1005507): one population is one variable, whatever
its size.
"""
import argparse
import json
import math

POPULATIONS = ["L23E", "L23I", "L4E", "L4I", "L5E", "L5I", "L6E", "L6I"]
SIZES = [20683, 5834, 21915, 5479, 4850, 1065, 14395, 2948]
# Connection probabilities [target][source] (table 5 of the paper).
PROBABILITIES = [
    [0.1009, 0.1689, 0.0437, 0.0818, 0.0323, 0.0, 0.0076, 0.0],
    [0.1346, 0.1371, 0.0316, 0.0515, 0.0755, 0.0, 0.0042, 0.0],
    [0.0077, 0.0059, 0.0497, 0.1350, 0.0067, 0.0003, 0.0453, 0.0],
    [0.0691, 0.0029, 0.0794, 0.1597, 0.0033, 0.0, 0.1057, 0.0],
    [0.1004, 0.0622, 0.0505, 0.0057, 0.0831, 0.3726, 0.0204, 0.0],
    [0.0548, 0.0269, 0.0257, 0.0022, 0.0600, 0.3158, 0.0086, 0.0],
    [0.0156, 0.0066, 0.0211, 0.0166, 0.0572, 0.0197, 0.0396, 0.2252],
    [0.0364, 0.0010, 0.0034, 0.0005, 0.0277, 0.0080, 0.0658, 0.1443],
]
C_M_NF, TAU_M_MS, TAU_SYN_MS = 0.25, 10.0, 0.5
E_L_MV, V_TH_MV, V_RESET_MV, T_REF_MS = -65.0, -50.0, -65.0, 2.0
DT_MS = 0.1

PSP_MV, INHIBITION, WEIGHT_SD, L4E_TO_L23E = 0.15, 4.0, 0.1, 2.0
DELAY_E_MS, DELAY_I_MS, DELAY_SD = 1.5, 0.75, 0.5

EXTERNAL_INDEGREES = [1600, 1500, 2100, 1900, 2000, 1900, 2900, 2100]
EXTERNAL_RATE_HZ = 8.0

# Initial potentials close to the stationary state ("optimised initial conditions" of the reference implementation).
V_MEAN_MV = [-68.28, -63.16, -63.33, -63.45, -63.11, -61.66, -66.72, -61.43]
V_SD_MV = [5.36, 4.57, 4.74, 4.94, 4.94, 4.55, 5.46, 4.48]

# Mean rates of the full circuit, which the compensation of a scaled one refers to.
RATES_HZ = {
    "poisson": [0.903, 2.965, 4.414, 5.876, 7.569, 8.633, 1.105, 7.829],
    "dc": [0.918, 2.971, 4.193, 5.702, 8.047, 8.468, 1.109, 7.657],
}

# Escape noise of Schwalger et al. 2017: width of the threshold, rate at threshold, and the constant drive of each population.
ESCAPE_WIDTH_MV, ESCAPE_RATE_HZ, ESCAPE_DELAY_MS, ESCAPE_DT_MS = 5.0, 10.0, 1.5, 0.5
ESCAPE_DRIVE_MV = [19.149, 20.362, 30.805, 28.069, 29.437, 29.33, 34.932, 32.081]

THALAMIC_CELLS, THALAMIC_RATE_HZ, THALAMIC_START_MS, THALAMIC_DURATION_MS = 902, 120.0, 700.0, 10.0
THALAMIC_PROBABILITIES = [0.0, 0.0, 0.0983, 0.0619, 0.0, 0.0, 0.0512, 0.0196]
TRANSIENT_START_MS, TRANSIENT_DURATION_MS, TRANSIENT_NA_PER_INPUT = 650.0, 100.0, 0.3e-3


def current_per_potential_nA_per_mV():
    """Peak of the exponential current whose potential peaks at 1 mV."""
    a, b = TAU_M_MS / TAU_SYN_MS, TAU_SYN_MS / TAU_M_MS
    exponent = 1.0 / (1.0 - b)
    peak = a**(-b * exponent) - a**(-exponent)
    return C_M_NF * (1 / TAU_SYN_MS - 1 / TAU_M_MS) / peak


def synapse_number(probability, targets, sources):
    """Synapses in all such that a pair is connected at least once with the given probability."""
    return math.log(1 - probability) / math.log(1 - 1 / (targets * sources)) if probability > 0 else 0.0


def normal(mean, relative_sd, low):
    return {"kind": "normal", "mean": mean, "sd": relative_sd * mean, "low": low, "high": 1e300}


def make(drive, scale, synapse_scale, thalamic, transient, seed, duration_ms):
    sizes = [round(n * scale) for n in SIZES]
    grow = 1 / math.sqrt(synapse_scale)
    excitatory_nA = PSP_MV * current_per_potential_nA_per_mV()
    rates = RATES_HZ[drive]

    def weight_nA(target, source):
        if POPULATIONS[source].endswith("I"):
            return INHIBITION * excitatory_nA
        return excitatory_nA * (L4E_TO_L23E if (target, source) == (0, 2) else 1.0)

    def delay(mean_ms):
        # As the reference implementation: drawn again below half a step; what lies between is a step.
        return normal(mean_ms, DELAY_SD, DT_MS / 2)

    projections = []
    compensation_nA = [0.0] * len(POPULATIONS)
    for t, target in enumerate(POPULATIONS):
        for s, source in enumerate(POPULATIONS):
            number = round(synapse_number(PROBABILITIES[t][s], SIZES[t], SIZES[s]))
            scaled = round(number * scale * synapse_scale)
            inhibitory = source.endswith("I")
            sign = -1.0 if inhibitory else 1.0
            compensation_nA[t] += sign * weight_nA(t, s) * number / SIZES[t] * rates[s]
            if scaled == 0:
                continue
            projections.append({
                "source": source, "target": target,
                "synapse_type": "inhibitory" if inhibitory else "excitatory",
                "rule": {"kind": "fixed_total_number", "number": scaled, "multapses": True, "autapses": True},
                "weight_nA": normal(weight_nA(t, s) * grow, WEIGHT_SD, 0.0),
                "delay_ms": delay(DELAY_I_MS if inhibitory else DELAY_E_MS),
            })

    inputs = []
    for t, target in enumerate(POPULATIONS):
        external_hz = EXTERNAL_INDEGREES[t] * EXTERNAL_RATE_HZ
        if drive == "poisson":
            # The mean input that fewer external synapses lack is compensated like that of the others.
            compensation_nA[t] += excitatory_nA * external_hz
            inputs.append({
                "name": f"background {target}", "kind": "poisson", "target": target, "synapse_type": "excitatory",
                "rate_hz": external_hz * synapse_scale, "bin_ms": DT_MS, "weight_nA": excitatory_nA * grow,
                "delay_ms": DELAY_E_MS,
            })
        current_nA = (1 - math.sqrt(synapse_scale)) * compensation_nA[t] * TAU_SYN_MS * 1e-3
        if drive == "dc":
            current_nA += excitatory_nA * external_hz * TAU_SYN_MS * 1e-3
        if current_nA != 0:
            inputs.append({"name": f"current {target}", "kind": "current_step", "target": target, "begin_ms": 0,
                           "end_ms": 1e9, "amplitude_nA": current_nA})
        if transient:
            inputs.append({"name": f"transient {target}", "kind": "current_step", "target": target,
                           "begin_ms": TRANSIENT_START_MS, "end_ms": TRANSIENT_START_MS + TRANSIENT_DURATION_MS,
                           "amplitude_nA": TRANSIENT_NA_PER_INPUT * EXTERNAL_INDEGREES[t]})

    populations = [{"name": name, "size": size, "cell_type": "excitatory" if name.endswith("E") else "inhibitory",
                    "V_init_mV": {"kind": "normal", "mean": mean, "sd": sd}}
                   for name, size, mean, sd in zip(POPULATIONS, sizes, V_MEAN_MV, V_SD_MV)]
    if thalamic:
        populations.append({"name": "thalamus", "size": THALAMIC_CELLS, "virtual": True, "sign": "excitatory",
                            "poisson": {"times_ms": [0, THALAMIC_START_MS, THALAMIC_START_MS + THALAMIC_DURATION_MS],
                                        "rates_hz": [0, THALAMIC_RATE_HZ, 0]}})
        for t, target in enumerate(POPULATIONS):
            number = synapse_number(THALAMIC_PROBABILITIES[t], SIZES[t], THALAMIC_CELLS)
            if number == 0:
                continue
            projections.append({
                "source": "thalamus", "target": target, "synapse_type": "excitatory",
                "rule": {"kind": "fixed_total_number", "number": round(number * scale * synapse_scale)},
                "weight_nA": normal(excitatory_nA * grow, WEIGHT_SD, 0.0), "delay_ms": delay(DELAY_E_MS),
            })

    neuron = {"model": "lif", "C_m_nF": C_M_NF, "g_L_uS": C_M_NF / TAU_M_MS, "E_L_mV": E_L_MV,
              "V_reset_mV": V_RESET_MV, "V_threshold_mV": V_TH_MV, "t_ref_ms": T_REF_MS}
    return {
        "$schema": "../../docs/recipe.schema.json",
        "triscale_recipe": 1,
        "description": f"Cortical microcircuit of Potjans & Diesmann (2014), {drive} drive, scale {scale}, synapses per "
                       f"neuron {synapse_scale}. Written by make_recipe.py.",
        "run": {"duration_ms": duration_ms, "dt_ms": DT_MS, "seed": seed},
        "cell_types": [{"name": "excitatory", "sign": "excitatory", "point": neuron},
                       {"name": "inhibitory", "sign": "inhibitory", "point": neuron}],
        "synapse_types": [
            {"name": "excitatory", "point": {"model": "current_exponential", "tau_ms": TAU_SYN_MS, "sign": 1}},
            {"name": "inhibitory", "point": {"model": "current_exponential", "tau_ms": TAU_SYN_MS, "sign": -1}}],
        "populations": populations, "projections": projections, "inputs": inputs,
    }


def with_escape_noise(recipe):
    """The same circuit with a soft threshold and a constant drive."""
    for cell_type in recipe["cell_types"]:
        cell_type["point"] = {**cell_type["point"], "model": "gif", "Delta_V_mV": ESCAPE_WIDTH_MV, "lambda_0_Hz": ESCAPE_RATE_HZ}
    for projection in recipe["projections"]:
        projection["delay_ms"] = ESCAPE_DELAY_MS
    recipe["inputs"] = [{"name": f"current {name}", "kind": "current_step", "target": name, "begin_ms": 0, "end_ms": 1e9,
                         "amplitude_nA": drive_mV * C_M_NF / TAU_M_MS} for name, drive_mV in zip(POPULATIONS, ESCAPE_DRIVE_MV)]
    recipe["run"]["dt_ms"] = ESCAPE_DT_MS
    recipe["description"] += " Escape noise in place of the drive's noise."
    return recipe


def one_per_line(recipe):
    """JSON with an entry of a list on a line."""
    parts = []
    for key, value in recipe.items():
        if isinstance(value, list):
            entries = ",\n".join("    " + json.dumps(entry) for entry in value)
            parts.append(f'  {json.dumps(key)}: [\n{entries}\n  ]')
        else:
            parts.append(f"  {json.dumps(key)}: {json.dumps(value)}")
    return "{\n" + ",\n".join(parts) + "\n}\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--drive", choices=["dc", "poisson"], default="dc")
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--synapse-scale", type=float)
    parser.add_argument("--thalamic", action="store_true")
    parser.add_argument("--transient", action="store_true")
    parser.add_argument("--escape-noise", action="store_true")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--duration-ms", type=float, default=1500)
    parser.add_argument("-o", "--output", default="recipe.json")
    a = parser.parse_args()
    synapse_scale = a.scale if a.synapse_scale is None else a.synapse_scale
    recipe = make(a.drive, a.scale, synapse_scale, a.thalamic, a.transient, a.seed, a.duration_ms)
    if a.escape_noise:
        if a.thalamic or a.transient or a.drive != "dc":
            parser.error("--escape-noise has a drive of its own: no --drive poisson, --thalamic or --transient with it")
        recipe = with_escape_noise(recipe)
    with open(a.output, "w") as file:
        file.write(one_per_line(recipe))


if __name__ == "__main__":
    main()
