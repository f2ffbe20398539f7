#!/usr/bin/env python3
"""Writes three sets of conductances with which the pyramidal cells of a circuit fire at nearly the same rate.

    make_variants.py RECIPE DIR

RECIPE: ../balanced_two_populations/recipe.json. Writes DIR/b.json, c.json and d.json: the recipe with some channels of the
pyramidal cell more or less dense, and nothing else changed, as `triscale derive --variants` wants it.
"""

from __future__ import annotations

import copy
import json
import sys
from pathlib import Path

# Factors of gbar. Found by hand: SK is set so that the network's rate in the detailed tier stays near the recipe's.
FACTORS = {
    "b": {"Im": 0.25, "SK": 1.25},
    "c": {"Im": 3.0, "SK": 0.88},
    "d": {"Nap": 1.5, "Kv3_1": 1.5, "SK": 1.3},
}


def variant_of(recipe: dict, factors: dict[str, float]) -> dict:
    variant = copy.deepcopy(recipe)
    pyramidal = next(cell for cell in variant["cell_types"] if cell["name"] == "pyramidal")
    channels = {entry["mechanism"]: entry["parameters"] for entry in pyramidal["detailed"]["mechanisms"]}
    for mechanism, factor in factors.items():
        channels[mechanism]["gbar_S_cm2"] *= factor
    return variant


def main(arguments: list[str]) -> int:
    if len(arguments) != 2:
        print(__doc__, file=sys.stderr)
        return 2
    recipe = json.loads(Path(arguments[0]).read_text())
    folder = Path(arguments[1])
    folder.mkdir(parents=True, exist_ok=True)
    for name, factors in FACTORS.items():
        (folder / f"{name}.json").write_text(json.dumps(variant_of(recipe, factors), indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
