"""Draw benchmarks/out/book.json as a picture: how far each figure is from its target, on a logarithmic scale.

python -m benchmarks.plot [JSON [SVG]]
"""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final
from xml.sax.saxutils import escape

OUT: Final = Path(__file__).parent / "out"
_WIDTH, _LEFT, _RIGHT, _TOP, _STEP, _BAR = 960, 380, 170, 56, 26, 14
_LEAST, _MOST = 0.1, 10.0
_MARKS: Final = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)
_MET, _MISSED, _INK, _FAINT = "#2e7d32", "#c62828", "#1f2933", "#9aa5b1"


def draw(told: Mapping[str, Any]) -> str:
    """An SVG with a bar a row: right of the line is met, and the tick is the stretch."""
    rows = told["rows"]
    height = _TOP + _STEP * len(rows) + 30
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" font-family="sans-serif"'
        f' font-size="13" fill="{_INK}" role="img" aria-label="Figures against their targets">',
        f'<rect width="{_WIDTH}" height="{height}" fill="#ffffff"/>',
        '<text x="12" y="24" font-size="16" font-weight="bold">Figures against their targets</text>',
        f'<text x="12" y="42" fill="{_FAINT}">{escape(_setting(told["setting"]))}</text>',
    ]
    bottom = _TOP + _STEP * len(rows)
    for mark in _MARKS:
        x = _x(mark)
        ink, wide = (_INK, 1.5) if mark == 1 else ("#e4e7eb", 1.0)
        parts.append(
            f'<line x1="{x:.1f}" y1="{_TOP}" x2="{x:.1f}" y2="{bottom}" stroke="{ink}" stroke-width="{wide}"/>'
        )
        label = "target" if mark == 1 else f"{mark:g}"
        parts.append(f'<text x="{x:.1f}" y="{bottom + 18}" text-anchor="middle" fill="{_FAINT}">{label}</text>')
    for number, row in enumerate(rows):
        parts += _bar(row, _TOP + _STEP * number)
    return "\n".join((*parts, "</svg>")) + "\n"


def _bar(row: Mapping[str, Any], top: int) -> list[str]:
    reached = _reached(row, row["ratio"])
    one, end = _x(1.0), _x(reached)
    middle = top + _STEP / 2
    ink = _MET if row["met"] else _MISSED
    parts = [
        f'<text x="{_LEFT - 10}" y="{middle + 4:.1f}" text-anchor="end">{escape(row["told"])}</text>',
        f'<rect x="{min(one, end):.1f}" y="{middle - _BAR / 2:.1f}" width="{abs(end - one):.1f}" height="{_BAR}"'
        f' fill="{ink}"/>',
    ]
    if row["stretch"] is not None:
        x = _x(_reached(row, row["stretch"]))
        parts.append(
            f'<line x1="{x:.1f}" y1="{middle - 9:.1f}" x2="{x:.1f}" y2="{middle + 9:.1f}" stroke="{_INK}"'
            ' stroke-width="2"/>'
        )
    number = f"{row['ratio']:.3g} {row['unit']} ({row['better']} {row['target']:g})"
    parts.append(f'<text x="{_WIDTH - _RIGHT + 8}" y="{middle + 4:.1f}" font-size="11">{escape(number)}</text>')
    return parts


def _reached(row: Mapping[str, Any], value: float) -> float:
    """How many times the target is met: 1 is just met, whichever way the target looks."""
    target: float = row["target"]
    return value / target if row["better"] == "at least" else target / max(value, 1e-9)


def _x(value: float) -> float:
    inside = min(max(value, _LEAST), _MOST)
    share = math.log(inside / _LEAST) / math.log(_MOST / _LEAST)
    return _LEFT + share * (_WIDTH - _LEFT - _RIGHT)


def _setting(setting: Mapping[str, Any]) -> str:
    delay = f", +{setting['fsync_delay_ms']:g} ms an fsync" if setting["fsync_delay_ms"] else ""
    load = f"load {setting['load_before'][0]:g} before, {setting['load_after'][0]:g} after"
    rounds = "1 round" if setting["rounds"] == 1 else f"median of {setting['rounds']} rounds"
    return f"{rounds} of {setting['seconds']:g} s on {setting['cores']} cores{delay}; {load}"


def main() -> None:
    given = [Path(each) for each in sys.argv[1:]]
    source = given[0] if given else OUT / "book.json"
    target = given[1] if len(given) > 1 else source.with_suffix(".svg")
    target.write_text(draw(json.loads(source.read_text())))
    print(target)


if __name__ == "__main__":
    main()
