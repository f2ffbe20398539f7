#!/usr/bin/env python3
"""Stationary state of the cortical microcircuit: NNMT beside `triscale analyse`, back to back.

    nnmt_microcircuit.py TRISCALE RECIPE [--repeat 5]

RECIPE: experiments/cortical_microcircuit/recipe_poisson.json. Needs NNMT 1.3 (pip install nnmt). NNMT integrates pseudo-time from
silence until it rests; triscale's `seconds.one_state` starts there, too. Prints medians and the largest relative difference of the
rates.
"""
import argparse
import json
import pathlib
import statistics
import subprocess
import tempfile
import time

import nnmt.lif.exp
import numpy as np


def parameters(recipe):
    """Arguments of nnmt.lif.exp._firing_rates in SI units."""
    cell = recipe["cell_types"][0]["point"]
    tau_syn_ms = recipe["synapse_types"][0]["point"]["tau_ms"]
    names = [p["name"] for p in recipe["populations"] if not p.get("virtual")]
    size = {p["name"]: p["size"] for p in recipe["populations"]}
    K, J = np.zeros((len(names), len(names))), np.zeros((len(names), len(names)))
    K_ext, J_ext, nu_ext_Hz = np.zeros((len(names), 1)), np.zeros((len(names), 1)), 8.0
    sign = {s["name"]: s["point"]["sign"] for s in recipe["synapse_types"]}
    for p in recipe["projections"]:
        i, j = names.index(p["target"]), names.index(p["source"])
        weight = p["weight_nA"]["mean"]
        K[i, j] = p["rule"]["number"] / size[p["target"]]
        J[i, j] = sign[p["synapse_type"]] * weight * tau_syn_ms / cell["C_m_nF"] / 1000
    for source in recipe["inputs"]:
        i = names.index(source["target"])
        K_ext[i, 0] = source["rate_hz"] / nu_ext_Hz
        J_ext[i, 0] = source["weight_nA"] * tau_syn_ms / cell["C_m_nF"] / 1000
    tau_m = cell["C_m_nF"] / cell["g_L_uS"] / 1000
    return {
        "J": J, "K": K, "V_0_rel": (cell["V_reset_mV"] - cell["E_L_mV"]) / 1000, "V_th_rel": (cell["V_threshold_mV"] - cell["E_L_mV"]) / 1000,
        "tau_m": tau_m, "tau_r": cell["t_ref_ms"] / 1000, "tau_s": tau_syn_ms / 1000, "J_ext": J_ext, "K_ext": K_ext,
        "nu_ext": np.array([nu_ext_Hz]),
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("triscale")
    parser.add_argument("recipe", type=pathlib.Path)
    parser.add_argument("--repeat", type=int, default=5)
    a = parser.parse_args()
    arguments = parameters(json.loads(a.recipe.read_text()))
    theirs, ours = [], []
    for _ in range(a.repeat):
        begin = time.perf_counter()
        rates = nnmt.lif.exp._firing_rates(**arguments)
        theirs.append(time.perf_counter() - begin)
        with tempfile.TemporaryDirectory() as folder:
            subprocess.run([a.triscale, "analyse", a.recipe, "-o", folder, "--quiet"], check=True, capture_output=True)
            result = json.loads(pathlib.Path(folder, "analysis.json").read_text())
        ours.append(result["seconds"]["one_state"])
    state = np.array(result["states"][0]["rates_hz"])
    print(f"NNMT {statistics.median(theirs):.4g} s, triscale {statistics.median(ours):.4g} s: {statistics.median(theirs) / statistics.median(ours):.0f} times")
    print(f"largest relative difference of the rates: {np.max(np.abs(np.asarray(rates) / state - 1)):.2g}")


if __name__ == "__main__":
    main()
