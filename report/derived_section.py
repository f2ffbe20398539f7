"""The section of the page about what the bridges derived."""

from __future__ import annotations

import derived
import figures
import tolerances
from markup import esc, figure, num, section, table
from result_folder import Results


def mapping(values) -> str:
    if not isinstance(values, dict) or not values:
        return "–"
    def shown(value) -> str:
        return f"{num(value[0], 4)} to {num(value[1], 4)}" if isinstance(value, list) and len(value) == 2 else num(value, 4)
    return "<br>".join(f"{esc(k)} {shown(v)}" for k, v in values.items())


def beyond_tolerance(found: list[derived.Description]) -> str:
    """Errors of the derived descriptions beside their tolerances, and what those beyond them mean."""
    errors = tolerances.errors(found)
    if not errors:
        return ""
    beyond = [e for e in errors if e.beyond]
    body = figure(tolerances.dots(errors), "Errors on unseen input, each in units of its tolerance (grey).", "")
    if not beyond:
        return f"<h3>Within tolerance</h3><p>All {len(errors)} errors are within their tolerance.</p>" + body
    rows = [[esc(tolerances.label(e.quantity)), esc(e.where), f"{e.value:+.2g}", num(e.tolerance, 2)] for e in beyond]
    meanings = "".join(f"<li><b>{esc(tolerances.label(q))}</b>: {esc(tolerances.MEANINGS.get(q, ('', '–'))[1])}</li>"
                       for q in dict.fromkeys(e.quantity for e in beyond))
    return (f"<h3>Beyond tolerance</h3><p>{len(beyond)} of {len(errors)} errors.</p>" +
            table(["error", "of", "is", "tolerance"], rows, "dense") + f"<ul>{meanings}</ul>" + body)


def remarks(group: list[derived.Description]) -> str:
    """What was noted about each description, below the table: a column would be too narrow for sentences."""
    noted = [(d.name, d.provenance.get("notes") or []) for d in group]
    return "".join(f"<h4>Remarks on {esc(name)}</h4><ul>{''.join(f'<li>{esc(n)}</li>' for n in notes)}</ul>" for name, notes in noted if notes)


def derivation(results: Results) -> str:
    found = derived.descriptions(results.reduced)
    if not found:
        why = "There is no reduced.json" if results.reduced is None else "reduced.json holds no derived description"
        return section("derived", "Derived parameters", f'<p class="missing">{why}: nothing to show.</p>')
    body = beyond_tolerance(found)
    for kind, level in (("cell", "point"), ("cell", "meanfield"), ("synapse", "point"), ("synapse", "meanfield")):
        group = [d for d in found if d.kind == kind and d.level == level]
        if not group:
            continue
        rows = [[esc(d.name), esc(d.provenance.get("method", "–")), mapping(d.provenance.get("fit_error")),
                 mapping(d.provenance.get("operating_point")), mapping(d.provenance.get("validity_range")),
                 mapping(d.own_uncertainty())] for d in group]
        head = ["type", "method", "fit error on unseen input", "operating point", "valid for", "standard error"]
        content = table(head, rows, "dense") + remarks(group) + "<h4>Parameters</h4>" + parameter_table(group)
        if kind == "cell":
            body += f"<h3>{derived.LEVELS[level]} cells</h3>" + content + "".join(variants(d) for d in group)
            if level == "meanfield":
                body += figure(figures.transfer_functions(derived.transfer_functions(found)),
                               "Rate against mean membrane potential at three strengths of its fluctuation, over the fitted range, at the "
                               "reference time constant.", "No transfer functions to draw.")
        else:
            body += f"<details><summary>{derived.LEVELS[level]} synapses ({len(group)})</summary>{content}</details>"
    return section("derived", "Derived parameters", body,
                   "What the bridges made of the finer description, how well it fits input that the fit has not seen, and where it may be "
                   "trusted. All of it stands in <code>reduced.json</code>, can be edited there and run again.")


def variants(description: derived.Description) -> str:
    """How far other sets of detailed parameters spread what was derived; those first that the training data alone would hide."""
    spread = description.variant_spread()
    if not spread:
        return ""
    own, values = description.own_uncertainty(), derived.parameter_values(description.raw)

    def beyond(key: str) -> float:
        return spread[key] / own[key] if own.get(key) else 0.0

    rows = [[f"<code>{esc(key)}</code>", num(values.get(key), 4), num(spread[key], 2), num(own.get(key), 2)]
            for key in sorted(spread, key=beyond, reverse=True) if isinstance(spread[key], (int, float))]
    return (f"<h4>{esc(description.name)}: other sets of detailed parameters</h4>"
            "<p>Standard deviation of what was derived over the sets, beside the one that the training data leave. Where the first is much "
            "larger, the parameter depends on which set describes the cells.</p>"
            + table(["parameter", "first set", "over the sets", "by the training data"], rows, "dense params"))


def parameter_table(group: list[derived.Description]) -> str:
    keys = list(dict.fromkeys(key for d in group for key, _ in d.parameters))
    if len(group) > 8:  # many types: a row each
        rows = [[esc(d.name)] + [esc(dict(d.parameters).get(key, "–")) for key in keys] for d in group]
        return table(["type"] + [esc(k) for k in keys], rows, "dense")
    rows = [[f"<code>{esc(key)}</code>"] + [esc(dict(d.parameters).get(key, "–")) for d in group] for key in keys]
    return table(["parameter"] + [esc(d.name) for d in group], rows, "dense params")
