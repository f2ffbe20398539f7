"""Words, numbers and tables as HTML."""

from __future__ import annotations

import html
import re

from result_folder import TIER_TITLES

SYMBOLS = {"consistent": "✓", "inconsistent": "✗", "undecided": "?"}


def esc(value) -> str:
    return html.escape(str(value))


def num(value, digits: int = 3) -> str:
    if not isinstance(value, (int, float)):
        return "–"
    text = f"{value:.{digits}g}"
    if "e" in text and 1e-4 <= abs(value) < 1e7:
        text = f"{value:,.0f}" if abs(value) >= 1 else f"{value:.6f}"
    return text.replace("-", "−")


def signed(value, digits: int = 3) -> str:
    return ("+" if isinstance(value, (int, float)) and value > 0 else "") + num(value, digits)


def seconds(ms) -> str:
    return f"{num(ms / 1000.0)} s" if isinstance(ms, (int, float)) else "–"


def chip(verdict) -> str:
    verdict = verdict if verdict in SYMBOLS else "undecided"
    return f'<span class="chip {verdict}">{SYMBOLS[verdict]} {verdict}</span>'


def title_of(tier: str) -> str:
    return TIER_TITLES.get(tier, tier)


def section(identifier: str, title: str, body: str, lead: str = "") -> str:
    lead = f'<p class="lead">{lead}</p>' if lead else ""
    return f'<section id="{identifier}"><h2>{title}</h2>{lead}{body}</section>'


def figure(image: str, caption: str, missing: str) -> str:
    if not image:
        return f'<p class="missing">{missing}</p>'
    return f"<figure>{image}<figcaption>{caption}</figcaption></figure>"


def table(head: list[str], rows: list[list[str]], css: str = "") -> str:
    """Cells are HTML already; numbers stand in cells that begin with a digit or a sign and are set right."""
    def right(text: str) -> bool:
        return bool(re.match(r"^[+−±-]?\d|^–$", text)) and not re.search("<|, |; ", text)

    def cell(text: str) -> str:
        return f'<td class="n">{text}</td>' if right(text) else f"<td>{text}</td>"

    numeric = [bool(rows) and all(right(row[k]) or not row[k] for row in rows) for k in range(len(head))]
    header = "".join(f'<th scope="col"{" class=n" if n else ""}>{h}</th>' for h, n in zip(head, numeric))
    body = "".join("<tr>" + "".join(cell(c) for c in row) + "</tr>" for row in rows)
    return f'<div class="scroll"><table class="{css}"><thead><tr>{header}</tr></thead><tbody>{body}</tbody></table></div>'
