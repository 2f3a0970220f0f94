"""What a server writes that does not print is shown as "?"."""

from __future__ import annotations

from smtpproto._wire.text import printable, without_controls


def test_every_control_but_tab_and_the_ends_of_lines() -> None:
    every = bytes(range(256))
    shown = without_controls(every)
    assert shown[:33] == b"?????????\t\n??\r?????????????????? "
    assert shown[0x20:0x7F] == every[0x20:0x7F]
    assert shown[0x7F:] == b"?" + every[0x80:]


def test_what_does_not_print() -> None:
    assert printable("ä\tb\r\n\x1b[31m\x85\u2028\udcfc") == "ä\tb???[31m???"
