"""Limits: every number that bounds what an SMTP peer can make a connection do."""

from __future__ import annotations

from smtpproto._value import Value, fill

__all__ = ["Limits"]


class Limits(Value):
    """How much a connection takes from its peer, and how much it sends at a time.

    ==================  =======  =====================================================
    `command_line`          512  octets of a command line with its CRLF; extensions add to it
                                 (RFC 5321 section 4.5.3.1.4)
    `reply_line`           2048  octets of a reply line with its CRLF; the RFC says 512
                                 (section 4.5.3.1.5), servers do not keep to it
    `reply`               65536  octets of a whole reply of several lines (no figure in the RFC)
    `auth_line`           12288  octets of a line of a SASL exchange (RFC 4954 section 4)
    `recipients`           1000  recipients of one transaction; the RFC asks for 100 at least
                                 (section 4.5.3.1.8)
    `refusals`               20  commands refused with 500, 501, 502 or 503 since the last
                                 message, after which the session is over; None: no limit
    `backlog`           1048576  octets that wait while ``wants_data`` is False
    `pipeline_octets`      4096  octets of commands that a client leaves unanswered at a time
                                 (RFC 2920 section 3.1); None: no limit, for a writer that
                                 reads while it waits
    ==================  =======  =====================================================
    """

    __slots__ = __match_args__ = (
        "command_line",
        "reply_line",
        "reply",
        "auth_line",
        "recipients",
        "refusals",
        "backlog",
        "pipeline_octets",
    )
    command_line: int
    reply_line: int
    reply: int
    auth_line: int
    recipients: int
    refusals: int | None
    backlog: int
    pipeline_octets: int | None

    def __init__(
        self,
        *,
        command_line: int = 512,
        reply_line: int = 2048,
        reply: int = 65536,
        auth_line: int = 12288,
        recipients: int = 1000,
        refusals: int | None = 20,
        backlog: int = 1048576,
        pipeline_octets: int | None = 4096,
    ) -> None:
        fill(
            self,
            command_line,
            reply_line,
            reply,
            auth_line,
            recipients,
            refusals,
            backlog,
            pipeline_octets,
        )
