"""The state machines as they stand in the README, drawn from the tables of `_state` alone."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import TypeVar

from smtpproto.pop3 import _state as pop3
from smtpproto.smtp import _state as smtp

State = TypeVar("State", bound=Enum)
Kind = TypeVar("Kind")


def diagram(
    machine: Mapping[State, Mapping[str, Mapping[Kind, State]]],
    entered: Mapping[tuple[State, str], State],
) -> str:
    """A Mermaid diagram of the moves that lead to another state.

    `entered` are the steps that lead somewhere before they are answered.
    """
    edges: dict[tuple[str, str], list[str]] = {}
    for state, steps in machine.items():
        for step, moves in steps.items():
            if (state, step) in entered:
                edges.setdefault((state.name, entered[state, step].name), []).append(step)
                continue
            for target in dict.fromkeys(moves.values()):
                if target is state:
                    continue
                kinds = [_name(kind) for kind, leads_to in moves.items() if leads_to is target]
                label = step if len(kinds) == len(moves) else f"{step} {'/'.join(kinds)}"
                edges.setdefault((state.name, target.name), []).append(label)
    lines = [f"    {a} --> {b}: {', '.join(labels)}" for (a, b), labels in edges.items()]
    return "\n".join(["stateDiagram-v2", *lines])


def _name(kind: object) -> str:
    return f"{kind}yz" if isinstance(kind, int) and kind < 10 else str(kind)


MACHINES: dict[str, str] = {
    "smtp": diagram(smtp.MACHINE, {}),
    "pop3": diagram(pop3.MACHINE, pop3.ENTERED),
}
