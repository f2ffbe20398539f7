"""What the derived descriptions miss: errors on unseen input beside the tolerances that reduced.json names, as a picture and in words."""

from __future__ import annotations

from dataclasses import dataclass

from derived import LEVELS, Description
from drawing import FAINT, INK, picture, plt

# Name in fit_error: what it is, what it means to be beyond the tolerance, and what to look at.
MEANINGS = {
    "missed_coincidence_4ms": (
        "missed spike times (1 − Md*)",
        "Single spikes of the derived cell come at other moments than those of the detailed one, whatever its rate. The detailed cell has no "
        "noise, so the model's own escape noise is a limit (missed_coincidence_of_the_model_with_itself); it stands for the error of the "
        "potential (V_rms_mV), most of it from dendrites that are not at one potential. Do not read single spike times of the point tier."),
    "rate_relative": (
        "rate",
        "On input that the fit has not seen the derived cell fires too often (+) or too rarely (−). In a network the difference may grow or "
        "shrink: see mean rates in Agreement."),
    "cv_isi": (
        "CV of intervals",
        "Spike trains are more (+) or less (−) regular than the detailed cell's. Depolarisation block, which point neurons do not have, makes "
        "long pauses; the remarks say whether there was any."),
    "psp_peak": ("peak of a synaptic potential", "Single synapses are too strong (+) or too weak (−) at rest, in the mean over the circuit's sites."),
    "psp_rise": ("rise of a synaptic potential",
                 "A potential rises too slowly (+) or too fast (−): one time course and one dendrite stand for synapses at many distances. Volleys "
                 "that arrive within a few ms are affected most."),
    "psp_half_width": ("half-width of a synaptic potential",
                       "A potential lasts too long (+) or too short (−), which changes how potentials of successive spikes add up. Undershoots, from "
                       "channels that close at rest, are not in the point neuron."),
    "mean_relative_rate_in_the_circuit": ("rate about the circuit's state",
                                          "The transfer function misses rates that were measured about the circuit's own state."),
}
MARKERS = "osD^vP*"
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", INK)


@dataclass
class Error:
    description: Description
    quantity: str
    value: float
    tolerance: float

    @property
    def relative(self) -> float:
        return self.value / self.tolerance

    @property
    def beyond(self) -> bool:
        return abs(self.relative) > 1

    @property
    def where(self) -> str:
        return f"{self.description.name}, {LEVELS[self.description.level]}"


def errors(found: list[Description]) -> list[Error]:
    def known(value) -> bool:
        return isinstance(value, (int, float)) and not isinstance(value, bool)
    result = []
    for d in found:
        error = d.provenance.get("fit_error") or {}
        for quantity, tolerance in (d.provenance.get("tolerance") or {}).items():
            if known(error.get(quantity)) and known(tolerance) and tolerance > 0:
                result.append(Error(d, quantity, error[quantity], tolerance))
    return result


def label(quantity: str) -> str:
    return MEANINGS.get(quantity, (quantity, ""))[0]


def dots(found: list[Error]) -> str:
    """A row for each description, a mark for each error in units of its tolerance."""
    if not found:
        return ""
    groups = [g for g in ([e for e in found if e.description.kind == "cell"], [e for e in found if e.description.kind == "synapse"]) if g]
    rows = [list(dict.fromkeys(e.where for e in g)) for g in groups]
    figure, axes = plt.subplots(1, len(groups), figsize=(9.6, 0.9 + 0.24 * max(map(len, rows))), squeeze=False, layout="constrained")
    for axis, group, names in zip(axes[0], groups, rows):
        axis.axvspan(-1, 1, color=FAINT, alpha=0.6, lw=0)
        for k, quantity in enumerate(dict.fromkeys(e.quantity for e in group)):
            marks = [e for e in group if e.quantity == quantity]
            axis.plot([e.relative for e in marks], [names.index(e.where) for e in marks], MARKERS[k % len(MARKERS)],
                      color=COLOURS[k % len(COLOURS)], ms=5, alpha=0.85, label=label(quantity))
        widest = max(1.5, max(abs(e.relative) for e in group))
        axis.set(xlim=(-1.1 * widest, 1.1 * widest), ylim=(len(names) - 0.4, -0.6), xlabel="error, in units of its tolerance",
                 yticks=range(len(names)), yticklabels=names)
        axis.tick_params(axis="y", length=0, labelsize=8)
        axis.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), fontsize=8, ncols=1 if len(groups) > 1 else 4)
    beyond = sum(e.beyond for e in found)
    return picture(figure, f"{beyond} of {len(found)} errors of derived descriptions are beyond their tolerance")
