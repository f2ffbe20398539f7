#!/usr/bin/env python3
"""Puts hand-written point cells in place of derived ones: what would a network of the files that people use today do?

    replace_cells.py REDUCED CELLS OUT NAME=FILE [NAME=FILE ...]

REDUCED: reduced.json of `triscale derive`; CELLS: folder of PointNet cell files (NEST's names and units: C_m pF, tau_m ms,
potentials mV); OUT: the new reduced.json. Cells change, synapses stay: the derived ones, which are the most faithful
conductances that the hand-written cells could be given, so that the comparison is about the cells alone.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path


def lif_of(file: Path) -> dict:
    cell = json.loads(file.read_text())
    capacitance_nF = cell["C_m"] / 1000.0
    return {"model": "lif", "C_m_nF": capacitance_nF, "g_L_uS": capacitance_nF / cell["tau_m"], "E_L_mV": cell["E_L"],
            "V_reset_mV": cell["V_reset"], "V_threshold_mV": cell["V_th"], "t_ref_ms": cell["t_ref"]}


def main(arguments: list[str]) -> int:
    if len(arguments) < 4:
        print(__doc__, file=sys.stderr)
        return 2
    reduced = json.loads(Path(arguments[0]).read_text())
    files = dict(pair.split("=", 1) for pair in arguments[3:])
    for entry in reduced["cell_types"]:
        file = files.pop(entry["name"], None)
        if file is None:
            continue
        entry["point"] = lif_of(Path(arguments[1]) / file)
        entry["point_provenance"] = {"method": f"hand-written: {file}"}
        for key in ("meanfield", "meanfield_provenance"):
            entry.pop(key, None)
    if files:
        print(f"no such cell types: {', '.join(files)}; there are {', '.join(e['name'] for e in reduced['cell_types'])}", file=sys.stderr)
        return 2
    Path(arguments[2]).write_text(json.dumps(reduced, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
