"""What of the README is written from the code: ``python -m tests.readme`` writes it there.

Each part stands between ``<!-- name -->`` and ``<!-- end -->``; tests/test_readme.py holds the
two together.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from tests.diagram import MACHINES
from tests.extensions_table import table

README = Path(__file__).parent.parent / "README.md"

PARTS: Mapping[str, str] = {
    **{f"{name} machine": f"```mermaid\n{diagram}\n```" for name, diagram in MACHINES.items()},
    "smtp extensions": table(),
}


def part(name: str, text: str) -> str:
    """What stands there in a text. Raises ValueError when it has no such part."""
    start, end = _place(name, text)
    return text[start:end]


def put(name: str, now: str, text: str) -> str:
    """A text with another part there. Raises ValueError when it has no such part."""
    start, end = _place(name, text)
    return text[:start] + now + text[end:]


def _place(name: str, text: str) -> tuple[int, int]:
    match = re.search(rf"<!-- {name} -->\n(.*?)\n<!-- end -->", text, re.DOTALL)
    if match is None:
        raise ValueError(f"no place for the part {name!r}")
    return match.span(1)


def write() -> None:
    """Put the parts into the README."""
    text = README.read_text()
    for name, now in PARTS.items():
        text = put(name, now, text)
    README.write_text(text)


if __name__ == "__main__":
    write()
