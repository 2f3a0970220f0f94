"""Hypothesis strategies for every public value, for the test suites of who builds on this package.

    from hypothesis import given
    from smtpproto import strategies

    @given(strategies.smtp_commands(smtp.Mail, smtp.Rcpt))
    def test_my_server(command): ...

The names of the strategies begin with the name of the subpackage whose values they give; what
belongs to mail whatever carries it (messages, envelopes, enhanced status codes) has no prefix. Each
generates everything that its value can hold, the rare and the absurd included, and nothing that the
value refuses.

Needs the extra ``smtpproto[strategies]``.
"""

from smtpproto.strategies._pop3 import (
    pop3_capabilities,
    pop3_commands,
    pop3_events,
    pop3_limits,
    pop3_listings,
    pop3_maildrops,
    pop3_responses,
)
from smtpproto.strategies._sasl import sasl_scram_keys, sasl_steps
from smtpproto.strategies._shared import messages
from smtpproto.strategies._smtp import (
    enhanced_statuses,
    envelopes,
    smtp_addresses,
    smtp_capabilities,
    smtp_commands,
    smtp_domains,
    smtp_events,
    smtp_extensions,
    smtp_limits,
    smtp_parameters,
    smtp_replies,
    smtp_reports,
)

__all__ = [
    "enhanced_statuses",
    "envelopes",
    "messages",
    "pop3_capabilities",
    "pop3_commands",
    "pop3_events",
    "pop3_limits",
    "pop3_listings",
    "pop3_maildrops",
    "pop3_responses",
    "sasl_scram_keys",
    "sasl_steps",
    "smtp_addresses",
    "smtp_capabilities",
    "smtp_commands",
    "smtp_domains",
    "smtp_events",
    "smtp_extensions",
    "smtp_limits",
    "smtp_parameters",
    "smtp_replies",
    "smtp_reports",
]
