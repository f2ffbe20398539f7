"""Makes a result folder like those of `triscale compare`, from chance: for the tests of the report, and to look at."""

import json
import sys
from pathlib import Path

import h5py
import numpy as np

POPULATIONS = {"Scnn1a": (110, 5.3), "Rorb": (80, 6.5), "PV1": (30, 13.0)}
SCALE = {"detailed": 1.0, "point": 1.05, "meanfield": 1.2}
NODES = "internal"  # one SONATA population holds all types


def spikes_of(tier, duration_ms, random):
    """Per population: times and cells of Poisson trains that share a slow signal."""
    result = {}
    for name, (cells, hz) in POPULATIONS.items():
        rates = hz * SCALE[tier] * np.linspace(0.4, 1.6, cells) / 1000
        times, owners = [], []
        for cell, rate in enumerate(rates):
            t = np.sort(random.uniform(0, duration_ms, random.poisson(1.8 * rate * duration_ms)))
            t = t[random.uniform(size=len(t)) * 1.8 < 1 + 0.8 * np.sin(t / 150)]
            times.append(t)
            owners.append(np.full(len(t), cell))
        times, owners = np.concatenate(times), np.concatenate(owners)
        order = np.argsort(times)
        result[name] = times[order], owners[order]
    return result


def write_tier(folder, tier, duration_ms, random):
    folder.mkdir(parents=True)
    populations, first = {"LGN": {"cells": 100, "rate_hz": 32.0, "cv_isi": None, "virtual": True}}, 0
    ids = {}
    for name, (cells, _) in POPULATIONS.items():
        ids[name] = first
        populations[name] = {"cells": cells, "rate_hz": None, "cv_isi": None, "file_population": NODES,
                             "node_ids": [[first, first + cells]]}
        first += cells
    grid = np.arange(0, duration_ms + 0.5, 1.0)
    with h5py.File(folder / "rates.h5", "w") as file:
        for name, (_, hz) in POPULATIONS.items():
            file[f"rates/{name}/time_ms"] = grid
            file[f"rates/{name}/rate_hz"] = hz * SCALE[tier] * (1 + 0.8 * np.sin(grid / 150))
            populations[name]["rate_hz"] = hz * SCALE[tier]
    total = 0
    if tier != "meanfield":
        spikes = spikes_of(tier, duration_ms, random)
        times = np.concatenate([spikes[n][0] for n in POPULATIONS])
        nodes = np.concatenate([spikes[n][1] + ids[n] for n in POPULATIONS])
        order = np.argsort(times)
        total = len(times)
        with h5py.File(folder / "spikes.h5", "w") as file:
            file[f"spikes/{NODES}/timestamps"] = times[order]
            file[f"spikes/{NODES}/timestamps"].attrs["units"] = "milliseconds"
            file[f"spikes/{NODES}/node_ids"] = nodes[order].astype(np.uint64)
        for name in POPULATIONS:
            populations[name]["cv_isi"] = 0.9
    run = {"tier": tier, "version": "0.1.0", "config": "circuits/v1_strong_drive/config.json", "seed": 1, "threads": 2,
           "dt_ms": 0.1, "simulated_ms": duration_ms, "setup_s": 1.2, "wall_s": {"detailed": 104.0, "point": 1.9, "meanfield": 0.07}[tier],
           "realtime_factor": 10.4, "cells": first, "compartments": 41000 if tier == "detailed" else 0, "synapses": 36145,
           "spikes": total, "peak_memory_bytes": 180000000, "edge_hash": "00ff00ff00ff00ff", "populations": populations}
    (folder / "run.json").write_text(json.dumps(run))


def consistency(duration_ms, random):
    checks, omitted, tiers = [], [], []
    tolerance = {"cv_isi": 0.1, "rate_distribution": 0.2, "top10_share": 0.05, "rate_correlation": 0.2}
    for finer, coarser in (("detailed", "point"), ("point", "meanfield")):
        for name, (_, hz) in POPULATIONS.items():
            for statistic in ("mean_rate", *tolerance):
                if coarser == "meanfield" and statistic in ("cv_isi", "rate_distribution", "top10_share"):
                    omitted.append({"statistic": statistic, "population": name, "finer": finer, "coarser": coarser,
                                    "reason": "a mean-field model has rates and no spikes"})
                    continue
                finer_value = {"mean_rate": hz * SCALE[finer], "cv_isi": 0.9, "rate_distribution": 0.0, "top10_share": 0.16,
                               "rate_correlation": 0.8}[statistic]
                limit = tolerance.get(statistic, max(0.1 * finer_value, 0.2))
                difference = hz * (SCALE[coarser] - SCALE[finer]) if statistic == "mean_rate" else random.normal(0, 0.5) * limit
                half = limit * (1.5 if name == "Rorb" and statistic == "cv_isi" else 0.3)
                low, high = difference - half, difference + half
                verdict = ("consistent" if -limit <= low and high <= limit else
                           "inconsistent" if low > limit or high < -limit else "undecided")
                checks.append({"statistic": statistic, "population": name, "finer": finer, "coarser": coarser,
                               "finer_value": finer_value, "coarser_value": finer_value + difference, "difference": difference,
                               "ci_low": low, "ci_high": high, "tolerance": limit, "verdict": verdict,
                               "needed_ms": 23456.0 if verdict == "undecided" else None, "note": ""})
    checks.append({"statistic": "cv_isi", "population": "<b>odd & name</b>", "finer": "detailed", "coarser": "point", "finer_value": None,
                   "coarser_value": None, "difference": None, "ci_low": None, "ci_high": None, "tolerance": 0.1, "verdict": "undecided",
                   "needed_ms": 40000.0, "note": "2 of 20 cells have 10 or more intervals in both tiers; 5 are needed"})
    for tier in SCALE:
        for name, (cells, hz) in POPULATIONS.items():
            rate = hz * SCALE[tier]
            spiking = tier != "meanfield"
            tiers.append({"tier": tier, "population": name, "cells": cells, "rate_hz": rate, "rate_ci_low": 0.95 * rate,
                          "rate_ci_high": 1.05 * rate, "cv_isi": 0.9 if spiking else None, "cv_ci_low": 0.85 if spiking else None,
                          "cv_ci_high": 0.95 if spiking else None, "top10_share": 0.16, "silent_fraction": 0.0,
                          "rate_parameter_sd_hz": None if tier == "detailed" else 0.25 if spiking else 0.375})
    return {"verdict": "inconsistent", "summary": "The levels disagree in 3 of 22 comparisons.", "needed_ms": 40000.0,
            "analysis": {"begin_ms": 0.1 * duration_ms, "end_ms": duration_ms, "block_ms": 250, "blocks": 36, "bin_ms": 50,
                         "replicates": 1000, "confidence": 0.95, "seed": 1},
            "checks": checks, "omitted": omitted, "tiers": tiers}


def reduced():
    def provenance(method):
        return {"method": method, "version": "0.1.0", "operating_point": {"V_mV": -61.5, "rate_hz": 5.0},
                "fit_error": {"rate_rms_hz": 0.31, "V_rms_mV": 1.2, "rate_relative": -0.07, "cv_isi": 0.06},
                "tolerance": {"rate_relative": 0.05, "cv_isi": 0.1, "not_measured": 0.1}, "uncertainty": {"V_threshold_mV": 0.05},
                "validity_range": {"rate_hz": [0.5, 40.0]}, "notes": ["fitted on 60 s of fluctuating current"]}
    gif = {"model": "gif", "C_m_nF": 0.1031, "g_L_uS": 0.00532, "E_L_mV": -77.1, "V_reset_mV": -62.0, "t_ref_ms": 3.0,
           "V_threshold_mV": -51.2, "Delta_V_mV": 1.1, "eta": [{"amplitude_nA": 0.02, "tau_ms": 90.0}], "gamma": []}
    transfer = {"C_m_nF": 0.1, "g_L_uS": 0.005, "E_L_mV": -77.0, "t_ref_ms": 3.0, "P_mV": [-50, 1, -1, 0.5, 0.1, 0.1, 0, 0.2, 0, 0],
                "mu_0_mV": -60, "d_mu_mV": 10, "sigma_0_mV": 4, "d_sigma_mV": 6, "tau_0": 0.5, "d_tau": 1,
                "fitted_mu_mV": [-75, -48], "fitted_sigma_mV": [1, 6], "fitted_tau": [0.2, 1.0], "adaptation": [],
                "time_constant_ms": 5}
    cells = [{"name": n, "point": gif, "point_provenance": provenance("impedance + GIF maximum likelihood"),
              "meanfield": transfer, "meanfield_provenance": provenance("transfer-function fit")} for n in POPULATIONS]
    synapses = [{"name": "exc_to_Scnn1a", "point": {"model": "conductance",
                                                    "receptors": [{"tau_rise_ms": 0.5, "tau_decay_ms": 3.1, "E_rev_mV": 0}],
                                                    "sites": [{"section": k, "begin": 0, "end": 1, "attenuation": 0.5} for k in range(40)]},
                 "point_provenance": provenance("transfer impedance")}]
    return {"triscale_reduced": 1, "cell_types": cells, "synapse_types": synapses}


def responses():
    cycle = [5.0] * 10 + [40.0, 20.0] + [5.0] * 28 + [9.0] * 40 + [5.0] * 20
    return {"repetitions": 20, "bin_ms": 5, "pulse": {"begin_ms": 50, "end_ms": 60, "factor": 4},
            "step": {"begin_ms": 200, "end_ms": 400, "factor": 1.5},
            "responses": [{"tier": tier, "population": name, "rate_hz": cycle} for name in POPULATIONS for tier in SCALE]}


def make(folder: Path, duration_ms: float = 2000.0) -> None:
    random = np.random.default_rng(1)
    for tier in SCALE:
        write_tier(folder / tier, tier, duration_ms, random)
    (folder / "consistency.json").write_text(json.dumps(consistency(duration_ms, random)))
    (folder / "reduced.json").write_text(json.dumps(reduced()))
    (folder / "responses.json").write_text(json.dumps(responses()))


if __name__ == "__main__":
    make(Path(sys.argv[1]), 10000.0)
