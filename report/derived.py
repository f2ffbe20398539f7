"""Finds, in reduced.json, what the bridges derived: descriptions of cell and synapse types, each with its provenance."""

from __future__ import annotations

from dataclasses import dataclass

VARIANTS = "variants_"
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

    def own_uncertainty(self) -> dict:
        """Standard errors by the training data."""
        return {k: v for k, v in self._uncertainty().items() if not k.startswith(VARIANTS)}

    def variant_spread(self) -> dict:
        """Standard deviations over sets of detailed parameters (`triscale derive --variants`)."""
        return {k[len(VARIANTS):]: v for k, v in self._uncertainty().items() if k.startswith(VARIANTS)}

    def _uncertainty(self) -> dict:
        found = self.provenance.get("uncertainty")
        return found if isinstance(found, dict) else {}


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


def parameter_values(raw: dict) -> dict[str, float]:
    """The values of a point cell under the names that the uncertainty has."""
    values = {key: value for key, value in raw.items() if isinstance(value, (int, float)) and not isinstance(value, bool)}
    values.update({key: value for key, value in (raw.get("dendrite") or {}).items() if key.startswith("spike_")})
    for key, unit in (("eta", "nA"), ("gamma", "mV")):
        values.update({f"{key}_{k['tau_ms']:.4g}ms_{unit}": k[f"amplitude_{unit}"] for k in raw.get(key) or []})
    for c in raw.get("currents") or []:
        values[f"current_above_{c['above_mV']:.3g}mV_{c['tau_ms']:.4g}ms_uS"] = c["g_uS"]
    for t in raw.get("threshold_follows") or []:
        values[f"threshold_above_{t['above_mV']:.3g}mV_{t['tau_ms']:.4g}ms"] = t["slope"]
    return values


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
