"""How the report draws: colours, grids of axes, and a figure as a self-contained <img>."""

from __future__ import annotations

import base64
import html
import io
import math

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt

# Okabe & Ito's palette, told apart with any colour vision; markers and dashes differ too.
TIER_COLOURS = {"detailed": "#0072B2", "point": "#D55E00", "meanfield": "#009E73"}
TIER_MARKERS = {"detailed": "o", "point": "s", "meanfield": "D"}
TIER_DASHES = {"detailed": "-", "point": "-", "meanfield": "--"}
VERDICT_COLOURS = {"consistent": "#00795a", "inconsistent": "#b34700", "undecided": "#6b7785"}
INK, FAINT = "#1c2733", "#d8dee6"

plt.rcParams.update({
    "font.family": "DejaVu Sans", "font.size": 9, "axes.spines.top": False, "axes.spines.right": False,
    "axes.edgecolor": "#8b97a5", "axes.labelcolor": INK, "text.color": INK, "xtick.color": INK, "ytick.color": INK,
    "axes.titlesize": 10, "axes.titleweight": "bold", "axes.titlelocation": "left", "axes.linewidth": 0.8,
    "legend.frameon": False, "svg.fonttype": "path", "svg.hashsalt": "triscale", "figure.dpi": 100,
})


def picture(figure, alt: str) -> str:
    """The figure as a self-contained <img>; `alt` says in words what it shows."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="svg", bbox_inches="tight", pad_inches=0.05, dpi=170,
                   metadata={"Date": None, "Creator": None, "Format": None, "Type": None})
    plt.close(figure)
    data = base64.b64encode(buffer.getvalue()).decode("ascii")
    return f'<img alt="{html.escape(alt, quote=True)}" src="data:image/svg+xml;base64,{data}">'


def colour(tier: str) -> str:
    return TIER_COLOURS.get(tier, INK)


def grid(count: int, width: float = 9.6, height: float = 2.3, columns: int = 3):
    columns = min(columns, max(count, 1))
    rows = math.ceil(count / columns)
    figure, axes = plt.subplots(rows, columns, figsize=(width, height * rows), squeeze=False, layout="constrained")
    for unused in axes.flat[count:]:
        unused.set_visible(False)
    return figure, list(axes.flat)[:count]


def legend(figure, tiers) -> None:
    handles = [plt.Line2D([], [], color=colour(t.name), linestyle=TIER_DASHES.get(t.name, "-"), lw=2, label=t.title)
               for t in tiers]
    figure.legend(handles=handles, loc="lower right", bbox_to_anchor=(1, 1), ncols=len(handles), fontsize=9)
