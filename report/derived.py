"""Finds, in reduced.json, what the bridges derived: descriptions of cell and synapse types, each with its provenance."""

from __future__ import annotations

from dataclasses import dataclass

LEVELS = {"point": "point neuron", "meanfield": "mean-field"}


@dataclass
class Description:
    """One derived description: its parameters as (name, text), and where it comes from."""

    kind: str  # "cell" or "synapse"
    level: str  # "point" or "meanfield"
    name: str
    parameters: list[tuple[str, str]]
    provenance: dict
    raw: dict


def number(value) -> str:
    return f"{value:.4g}" if isinstance(value, (int, float)) and not isinstance(value, bool) else str(value)


def descriptions(reduced: dict | None) -> list[Description]:
    found = []
    for kind in ("cell", "synapse"):
        entries = (reduced or {}).get(f"{kind}_types")
        for entry in filter(lambda e: isinstance(e, dict), entries if isinstance(entries, list) else []):
            for level in LEVELS:
                raw, provenance = entry.get(level), entry.get(f"{level}_provenance")
                if isinstance(raw, dict) and isinstance(provenance, dict):
                    found.append(Description(kind, level, str(entry.get("name")), _flatten(raw), provenance, raw))
    return found


def transfer_functions(found: list[Description]) -> dict[str, dict]:
    return {d.name: d.raw for d in found if d.kind == "cell" and d.level == "meanfield" and "P_mV" in d.raw}


def _flatten(value: dict, prefix: str = "") -> list[tuple[str, str]]:
    rows = []
    for key, entry in value.items():
        if isinstance(entry, dict):
            rows += _flatten(entry, f"{prefix}{key}.")
        elif isinstance(entry, list) and len(entry) > 12:
            rows.append((prefix + key, f"{len(entry)} rows"))
        elif isinstance(entry, list) and entry and all(isinstance(e, dict) for e in entry):
            rows.append((prefix + key, "; ".join(", ".join(f"{k} {number(v)}" for k, v in e.items()) for e in entry)))
        elif isinstance(entry, list):
            rows.append((prefix + key, ", ".join(number(e) for e in entry) or "none"))
        elif entry is not None:
            rows.append((prefix + key, number(entry)))
    return rows
