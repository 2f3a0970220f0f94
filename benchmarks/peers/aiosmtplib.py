"""aiosmtplib's client."""

from __future__ import annotations

from aiosmtplib import SMTP

from benchmarks.messages import CLIENT, RECIPIENT, SENDER, SMALL

__all__ = ["deliver"]


async def deliver(port: int, messages: int) -> None:
    """A client that sends the small message again and again."""
    client = SMTP(hostname="127.0.0.1", port=port, local_hostname=CLIENT, start_tls=False)
    await client.connect()
    for _ in range(messages):
        await client.sendmail(SENDER, [RECIPIENT], SMALL)
    client.close()
