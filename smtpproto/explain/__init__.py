"""What is wrong with a recorded session of SMTP, LMTP or POP3: ``python -m smtpproto explain``.

    explanation = explain(Dialogue(path))

``str(explanation)`` is the session with the events that came of it, and ``explanation.problems``
are lines for people: where, what was said, what is wrong with it, and where that stands.
"""

from __future__ import annotations

import re

from smtpproto.explain._observer import Observer
from smtpproto.explain._pop3 import Pop3Observer
from smtpproto.explain._recording import Dialogue, Directions, NotARecording, Recording
from smtpproto.explain._smtp import SmtpObserver

__all__ = ["Dialogue", "Directions", "NotARecording", "Observer", "explain"]


def explain(recording: Recording) -> Observer:
    """Follow a recorded session; its greeting tells the protocol. Raises NotARecording."""
    first = next(recording.said("S"), None)
    octets = b"" if first is None else first.octets
    observer: Observer
    if octets.startswith((b"+OK", b"-ERR")):
        observer = Pop3Observer(recording)
    elif re.match(rb"[2-5][0-9][0-9](?![0-9])", octets):
        observer = SmtpObserver(recording)
    else:
        raise NotARecording(
            f"{recording.name('S')}: no greeting of a server is here: SMTP's begins with 220,"
            " POP3's with +OK"
        )
    observer.observe()
    return observer
