#!/usr/bin/env python3
"""Turns a folder of triscale results into one self-contained page.

    triscale_report.py DIR        writes DIR/index.html

Needs numpy, h5py and matplotlib. Exit codes: 0 done, 2 nothing to report on or the page cannot be written.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path


def write_atomically(path: Path, text: str) -> None:
    """An interrupted run never leaves a file that looks complete."""
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=path.name + ".", suffix=".tmp")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        umask = os.umask(0)
        os.umask(umask)
        os.chmod(temporary, 0o666 & ~umask)  # mkstemp makes it private
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Turns a folder of triscale results into one self-contained page, DIR/index.html.")
    parser.add_argument("folder", metavar="DIR", type=Path, help="what `triscale compare -o DIR` or `triscale run -o DIR` wrote")
    folder = parser.parse_args(arguments).folder
    if not folder.is_dir():
        print(f"{folder}: is not a folder", file=sys.stderr)
        return 2
    sys.dont_write_bytecode = True  # the program's own folder stays as it is
    try:
        import page
        import result_folder
    except ImportError as error:
        print(f"the report needs python3-numpy, python3-h5py and python3-matplotlib: {error}", file=sys.stderr)
        return 2
    results = result_folder.load(folder)
    if not results.tiers and results.consistency is None and results.reduced is None:
        print(f"{folder}: holds no results of triscale (run.json, spikes.h5, consistency.json, reduced.json)", file=sys.stderr)
        return 2
    style = (Path(__file__).resolve().parent / "style.css").read_text(encoding="utf-8")
    try:
        write_atomically(folder / "index.html", page.build(results, style))
    except OSError as error:
        print(f"{folder / 'index.html'}: cannot be written: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
