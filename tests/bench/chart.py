"""Results as a chart: horizontal bars in SVG, one panel a figure."""

from html import escape
from typing import Final

from bench.contenders import FLOOR
from bench.report import MEASURED, Results, middle

_WIDTH: Final = 860
_LEFT: Final = 230
_BAR: Final = 400
_LINE: Final = 26
_MARGIN: Final = 16
_PANELS: Final = (("wall", "wall time, seconds", 2), ("cpu", "CPU time, seconds", 2),
                  ("peak", "peak memory, MB", 0))  # fmt: skip
_STYLE: Final = "text{font:13px sans-serif;fill:#1f2933} .title{font-weight:bold}"
_OURS: Final = "#1f6feb"
_OTHERS: Final = "#9aa5b1"


def chart(results: Results, title: str) -> str:
    """Draw the medians of every contender, with their ratios to the floor."""
    runs = {one.name: several for (one, load), several in results.items() if load == MEASURED}
    parts, top = [_text(_MARGIN, _MARGIN + 10, title, "title")], _MARGIN + _LINE
    for name, heading, digits in _PANELS:
        figures = {one: middle(several, name) for one, several in runs.items()}
        parts.append(_text(_MARGIN, top + _LINE / 2, heading, "title"))
        top += _LINE
        for one, figure in figures.items():
            width, middle_line = _BAR * figure / max(figures.values()), top + _LINE / 2
            said = f"{figure:,.{digits}f}  ({figure / figures[FLOOR.name]:.1f} times the floor)"
            colour = _OURS if one.startswith("defender-etl") else _OTHERS
            bar = f'x="{_LEFT}" y="{top}" width="{width:.1f}" height="{_LINE - 8}"'
            parts += [
                _text(_MARGIN, middle_line + 2, one),
                f'<rect {bar} fill="{colour}"/>',
                _text(_LEFT + width + 6, middle_line + 2, said),
            ]
            top += _LINE
        top += _MARGIN
    size = f'width="{_WIDTH}" height="{top}" viewBox="0 0 {_WIDTH} {top}"'
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" {size}>\n<style>{_STYLE}</style>\n'
        f'<rect width="100%" height="100%" fill="#ffffff"/>\n' + "\n".join(parts) + "\n</svg>\n"
    )


def _text(x: float, y: float, text: str, kind: str = "label") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" class="{kind}">{escape(text)}</text>'
