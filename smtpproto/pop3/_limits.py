"""Limits: every number that bounds what a POP3 peer can make a connection do."""

from __future__ import annotations

from smtpproto._value import Value, fill

__all__ = ["Limits"]


class Limits(Value):
    """How much a connection takes from its peer, and how much it sends at a time.

    ==================  ========  =====================================================
    `command_line`           255  octets of a command line with its CRLF (RFC 2449 section 4)
    `response_line`         2048  octets of the first line of a response with its CRLF; the RFC
                                  says 512 (RFC 1939 section 3), servers do not keep to it
    `list`              16777216  octets of the lines of LIST, UIDL and what `Raw` asks for (no
                                  figure in the RFC; LIST of a hundred thousand messages has
                                  about 1.5 million)
    `short_list`           65536  octets of the lines of CAPA, LANG and AUTH, which the number of
                                  messages does not lengthen (no figure in the RFC; servers write
                                  less than 1000)
    `message`               None  octets of a message or the top of one; None: no limit, for it
                                  comes in pieces
    `auth_line`            12288  octets of a line of a SASL exchange (RFC 4954 section 4, which
                                  RFC 5034 leaves to the mechanisms)
    `refusals`                20  commands that the connection has refused by itself since the
                                  login or the last message, after which the session is over;
                                  None: no limit
    `backlog`            1048576  octets that wait while ``wants_data`` is False
    `pipeline_octets`       4096  octets of commands that a client leaves unanswered at a time
                                  (RFC 2449 section 6.6); None: no limit, for a writer that reads
                                  while it waits
    ==================  ========  =====================================================
    """

    __slots__ = __match_args__ = (
        "auth_line",
        "backlog",
        "command_line",
        "list",
        "message",
        "pipeline_octets",
        "refusals",
        "response_line",
        "short_list",
    )  # fmt: skip
    auth_line: int
    backlog: int
    command_line: int
    list: int
    message: int | None
    pipeline_octets: int | None
    refusals: int | None
    response_line: int
    short_list: int

    def __init__(
        self,
        *,
        command_line: int = 255,
        response_line: int = 2048,
        list: int = 16777216,
        short_list: int = 65536,
        message: int | None = None,
        auth_line: int = 12288,
        refusals: int | None = 20,
        backlog: int = 1048576,
        pipeline_octets: int | None = 4096,
    ) -> None:
        fill(
            self,
            auth_line,
            backlog,
            command_line,
            list,
            message,
            pipeline_octets,
            refusals,
            response_line,
            short_list,
        )
