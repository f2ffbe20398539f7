"""Reads what a run of triscale left in a folder. Any part may be missing or damaged: that is noted, never fatal."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path

import h5py
import numpy as np

TIERS = ("detailed", "point", "meanfield")  # from the finest to the coarsest
TIER_TITLES = {"detailed": "detailed", "point": "point-neuron", "meanfield": "mean-field"}


@dataclass
class Population:
    """What one population did in one tier. `spikes` is None where the tier has none or its file is missing."""

    name: str
    cells: int
    rate_hz: float | None = None
    cv_isi: float | None = None
    spikes: tuple[np.ndarray, np.ndarray] | None = None  # times in ms (ascending), cell index 0 .. cells-1
    rates: tuple[np.ndarray, np.ndarray] | None = None  # times in ms, Hz
    cell_rates_hz: np.ndarray | None = None  # mean-field: expected rate of every cell
    rate_parameter_sd_hz: float | None = None  # of the rate, by the derived parameters

    def rates_of_cells(self, begin_ms: float, end_ms: float) -> np.ndarray | None:
        if self.spikes is None:
            return self.cell_rates_hz
        if not end_ms > begin_ms:
            return None
        times, cells = self.spikes
        chosen = cells[(times >= begin_ms) & (times < end_ms)]
        return np.bincount(chosen, minlength=self.cells)[: self.cells] * 1000.0 / (end_ms - begin_ms)

    def rate_course(self, begin_ms: float, end_ms: float, bin_ms: float) -> tuple[np.ndarray, np.ndarray] | None:
        """Centres of bins and the rate in them."""
        bins = int((end_ms - begin_ms) / bin_ms + 1e-9)
        if bins < 1:
            return None
        edges = begin_ms + bin_ms * np.arange(bins + 1)
        centres = 0.5 * (edges[1:] + edges[:-1])
        if self.spikes is not None and self.cells:
            counts, _ = np.histogram(self.spikes[0], bins=edges)
            return centres, counts * 1000.0 / (bin_ms * self.cells)
        if self.rates is None or len(self.rates[0]) == 0:
            return None
        times, hz = self.rates
        if len(times) == 1:
            return centres, np.full(bins, hz[0])
        # Average over each bin: differences of the integral of the piecewise linear rate.
        integral = np.concatenate(([0.0], np.cumsum(0.5 * (hz[1:] + hz[:-1]) * np.diff(times))))
        return centres, np.diff(np.interp(edges, times, integral)) / bin_ms


@dataclass
class Signal:
    """What a field probe measured: potentials, dipole moment, ... One column a channel."""

    name: str
    kind: str  # ecp, csd, dipole, eeg, meg
    unit: str
    times_ms: np.ndarray
    data: np.ndarray
    labels: list[str]


@dataclass
class Tier:
    name: str
    run: dict
    populations: dict[str, Population] = field(default_factory=dict)
    virtual: list[str] = field(default_factory=list)
    signals: list[Signal] = field(default_factory=list)
    unassigned_spikes: int = 0  # spikes of node ids that no population claims

    @property
    def title(self) -> str:
        return TIER_TITLES.get(self.name, self.name)

    @property
    def duration_ms(self) -> float:
        return float(self.run.get("simulated_ms") or 0.0)


@dataclass
class Results:
    folder: Path
    tiers: list[Tier] = field(default_factory=list)
    consistency: dict | None = None
    reduced: dict | None = None
    signals: dict | None = None  # signals of the tiers compared, channel by channel
    responses: dict | None = None  # mean rates under a repeated pulse and step of the drive
    notes: list[str] = field(default_factory=list)  # what is missing or could not be read

    def tier(self, name: str) -> Tier | None:
        return next((tier for tier in self.tiers if tier.name == name), None)

    def populations(self) -> list[str]:
        """Names of all populations that are simulated, in the order of their first appearance."""
        names: dict[str, None] = {}
        for tier in self.tiers:
            names.update(dict.fromkeys(tier.populations))
        return list(names)

    def rate_parameter_sd_hz(self, tier: Tier, population: str) -> float | None:
        """How well the derived parameters determine a rate: from the comparison, else from the run itself."""
        for summary in (self.consistency or {}).get("tiers") or []:
            if (summary.get("tier"), summary.get("population")) == (tier.name, population):
                return summary.get("rate_parameter_sd_hz")
        return tier.populations[population].rate_parameter_sd_hz if population in tier.populations else None

    def window(self) -> tuple[float, float]:
        """The time that statistics look at: what the consistency check analysed, else all."""
        analysis = (self.consistency or {}).get("analysis") or {}
        begin, end = analysis.get("begin_ms"), analysis.get("end_ms")
        if isinstance(begin, (int, float)) and isinstance(end, (int, float)) and end > begin:
            return float(begin), float(end)
        durations = [tier.duration_ms for tier in self.tiers if tier.duration_ms > 0]
        return 0.0, min(durations, default=0.0)


def load(folder: Path) -> Results:
    results = Results(folder)
    if (folder / "run.json").exists():  # the folder of a single `triscale run`
        _load_tier(results, folder, None)
    for name in TIERS:
        if (folder / name).is_dir():
            _load_tier(results, folder / name, name)
    present = {tier.name for tier in results.tiers}
    if len(present) > 1 or not (folder / "run.json").exists():
        for name in TIERS:
            if name not in present:
                results.notes.append(f"There is no run of the {TIER_TITLES[name]} level in this folder.")
        results.consistency = _load_json(results, folder / "consistency.json", "the levels are shown, but not compared")
        results.reduced = _load_json(results, folder / "reduced.json", "derived parameters cannot be shown")
        if (folder / "responses.json").exists():
            results.responses = _load_json(results, folder / "responses.json", "responses cannot be drawn")
        if (folder / "signals.json").exists():
            results.signals = _load_json(results, folder / "signals.json", "signals are shown, but not compared")
    return results


def _load_json(results: Results, path: Path, consequence: str) -> dict | None:
    where = path.relative_to(results.folder)
    if not path.exists():
        results.notes.append(f"{where} is missing: {consequence}.")
        return None
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        results.notes.append(f"{where} could not be read ({error}): {consequence}.")
        return None
    if not isinstance(value, dict):
        results.notes.append(f"{where} does not hold a JSON object: {consequence}.")
        return None
    return value


def _load_tier(results: Results, folder: Path, name: str | None) -> None:
    run = _load_json(results, folder / "run.json", "sizes and timings of this level are unknown")
    if run is None and not any((folder / file).exists() for file in ("spikes.h5", "rates.h5")):
        return
    run = run or {}
    tier = Tier(name or str(run.get("tier", "run")), run)
    populations = run.get("populations")
    populations = populations if isinstance(populations, dict) else {}
    for population, entry in populations.items():
        entry = entry if isinstance(entry, dict) else {}
        if entry.get("virtual"):
            tier.virtual.append(population)
            continue
        tier.populations[population] = Population(
            population, int(entry.get("cells") or 0), entry.get("rate_hz"), entry.get("cv_isi"),
            rate_parameter_sd_hz=entry.get("rate_parameter_sd_hz"))
    with_spikes = tier.name != "meanfield"
    if with_spikes:
        _load_hdf5(results, folder / "spikes.h5", lambda file: _load_spikes(tier, populations, file),
                   "no raster, distribution or spectrum of this level")
    _load_hdf5(results, folder / "rates.h5", lambda file: _load_rates(tier, file), "no stored rate time course of this level")
    for path in sorted(folder.glob("*.h5")):
        if path.name not in ("spikes.h5", "rates.h5"):
            _load_hdf5(results, path, lambda file, name=path.stem: _load_signal(tier, name, file), "this signal is not shown")
    if tier.unassigned_spikes:
        results.notes.append(f"{tier.unassigned_spikes} spikes of the {tier.title} level belong to no population of its run.json.")
    results.tiers.append(tier)


def _load_hdf5(results: Results, path: Path, read, consequence: str) -> None:
    where = path.relative_to(results.folder)
    if not path.exists():
        results.notes.append(f"{where} is missing: {consequence}.")
        return
    try:
        with h5py.File(path, "r") as file:
            read(file)
    except (OSError, KeyError, ValueError, TypeError) as error:
        results.notes.append(f"{where} could not be read ({error}): {consequence}.")


def _node_ids(entry: dict, cells: int) -> np.ndarray:
    """Node ids of a population's cells in its SONATA file: a list, or ranges [first, last + 1]; else 0 .. cells-1."""
    ids = entry.get("node_ids")
    if isinstance(ids, list) and ids:
        if isinstance(ids[0], list):
            return np.concatenate([np.arange(first, last) for first, last in ids])
        return np.asarray(ids, dtype=np.int64)
    return np.arange(cells)


def _load_spikes(tier: Tier, entries: dict, file: h5py.File) -> None:
    groups = file["spikes"] if "spikes" in file else {}
    claimed: dict[str, int] = {}
    for name, population in tier.populations.items():
        entry = entries.get(name) or {}
        group_name = str(entry.get("file_population") or name)
        if group_name not in groups:
            # A tier in which nothing fired may leave the group out; nothing is known if ids have other owners.
            if not len(groups):
                population.spikes = (np.empty(0), np.empty(0, dtype=np.int64))
            continue
        times, nodes = _spikes_of(groups[group_name])
        ids = _node_ids(entry, population.cells)
        order = np.argsort(ids)
        position = np.searchsorted(ids[order], nodes)
        position = np.minimum(position, max(len(ids) - 1, 0))
        mine = ids[order][position] == nodes if len(ids) else np.zeros(len(nodes), dtype=bool)
        population.spikes = (times[mine], order[position[mine]])
        claimed[group_name] = claimed.get(group_name, 0) + int(mine.sum())
    virtual = {str((entries.get(name) or {}).get("file_population") or name) for name in tier.virtual}
    for name in groups:
        if name not in virtual or name in claimed:
            tier.unassigned_spikes += len(groups[name]["timestamps"]) - claimed.get(name, 0)


def _spikes_of(group: h5py.Group) -> tuple[np.ndarray, np.ndarray]:
    times = np.asarray(group["timestamps"][()], dtype=float)
    nodes = np.asarray(group["node_ids"][()], dtype=np.int64)
    units = group["timestamps"].attrs.get("units", "milliseconds")
    units = units.decode() if isinstance(units, bytes) else str(units)
    if units in ("s", "sec", "seconds"):
        times = times * 1000.0
    order = np.argsort(times, kind="stable")
    return times[order], nodes[order]


def _load_rates(tier: Tier, file: h5py.File) -> None:
    for name, group in file["rates"].items():
        if name in tier.virtual:
            continue
        population = tier.populations.setdefault(name, Population(name, 0))
        population.rates = (np.asarray(group["time_ms"][()], dtype=float), np.asarray(group["rate_hz"][()], dtype=float))
        if "cell_rate_hz" in group:
            population.cell_rates_hz = np.asarray(group["cell_rate_hz"][()], dtype=float)


SIGNAL_KINDS = ("ecp", "csd", "dipole", "eeg", "meg")
MOST_SIGNAL_VALUES = 4_000_000  # of one file that is read for a picture
MOST_SIGNAL_CHANNELS = 24


def _load_signal(tier: Tier, name: str, file: h5py.File) -> None:
    """Files of field probes; others, as membrane reports, are left alone. Long or wide ones are thinned."""
    for kind in SIGNAL_KINDS:
        if kind not in file:
            continue
        group = file[kind]
        rows, channels = group["data"].shape
        if rows == 0 or channels == 0:
            continue
        chosen = np.unique(np.linspace(0, channels - 1, min(channels, MOST_SIGNAL_CHANNELS)).astype(int))
        rows = min(rows, max(1, MOST_SIGNAL_VALUES // channels))
        start, _, dt = (float(x) for x in group["time"][()])
        ids = group["channel_id"][()]
        parts = [part.decode() for part in group["component"][()]] if "component" in group else [""] * channels
        unit = group["data"].attrs.get("units", "")
        tier.signals.append(Signal(name, kind, unit.decode() if isinstance(unit, bytes) else str(unit), start + dt * np.arange(rows),
                                   np.asarray(group["data"][:rows], dtype=float)[:, chosen],
                                   [parts[c] if kind == "dipole" else f"{ids[c]} {parts[c]}".strip() for c in chosen]))
