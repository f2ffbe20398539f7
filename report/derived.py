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
    for kind, key in (("cell", "cell_types"), ("synapse", "synapse_types")):
        for name, entry in _named(_find(reduced, key)):
            for level in LEVELS:
                raw = entry.get(level)
                if not isinstance(raw, dict):
                    continue
                provenance = raw.get("provenance") or _separate_provenance(reduced, f"{level}_{kind}s", name)
                if not provenance:
                    continue  # the user's own description, not a derived one
                found.append(Description(kind, level, name, _flatten({k: v for k, v in raw.items() if k != "provenance"}),
                                         provenance, raw))
    return found


def transfer_functions(found: list[Description]) -> dict[str, dict]:
    result = {}
    for description in found:
        if description.kind == "cell" and description.level == "meanfield":
            transfer = _holder_of(description.raw, "P_mV")
            if transfer is not None:
                result[description.name] = transfer
    return result


def _find(value, key):
    """The value of `key`, in this object or in the circuit within it."""
    if not isinstance(value, dict):
        return None
    if key in value:
        return value[key]
    return _find(value.get("circuit"), key)


def _named(entries):
    if isinstance(entries, dict):
        return [(name, entry) for name, entry in entries.items() if isinstance(entry, dict)]
    if isinstance(entries, list):
        return [(str(entry.get("name", k)), entry) for k, entry in enumerate(entries) if isinstance(entry, dict)]
    return []


def _separate_provenance(reduced: dict | None, group: str, name: str) -> dict:
    for key in ("derivation", "provenance"):
        entry = ((_find(reduced, key) or {}).get(group) or {}).get(name)
        if isinstance(entry, dict):
            return entry
    return {}


def _holder_of(value, key) -> dict | None:
    if isinstance(value, dict):
        if key in value:
            return value
        for child in value.values():
            holder = _holder_of(child, key)
            if holder is not None:
                return holder
    return None


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
