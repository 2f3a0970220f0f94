"""Encoder, decoder and a naive reading of RFC 5321 section 4.5.2, held together."""

from __future__ import annotations

import re

from fuzz.decisions import cut, split
from smtpproto._wire.dots import DotDecoder, DotEncoder

SEEDS = "CS"


def run(data: bytes) -> None:
    head, octets = split(data)
    _decoder_agrees(octets, head)
    _encoder_is_undone(octets, head)


def _decoder_agrees(octets: bytes, head: bytes) -> None:
    decoder = DotDecoder(strict=False)
    content = b""
    taken = 0
    for piece in cut(octets, head):
        content += decoder.decode(piece)
        taken += len(piece)
        if decoder.ended:
            break
    expected, ended, rest = _reference(octets)
    assert decoder.ended is ended, "the end of the message"
    if ended:
        assert content == expected, "the content"
        assert octets[taken - decoder.unused :] == rest, "what follows"


def _encoder_is_undone(octets: bytes, head: bytes) -> None:
    encoder = DotEncoder()
    wire = b"".join(encoder.encode(piece) for piece in cut(octets, head))
    assert not re.search(rb"(^|[\r\n])\.([\r\n]|$)", wire), "an early end for some reader"
    wire += encoder.finish()
    decoder = DotDecoder()
    repaired = re.sub(rb"\r\n|\r|\n", b"\r\n", octets)
    if repaired and not repaired.endswith(b"\r\n"):
        repaired += b"\r\n"
    content = b"".join(decoder.decode(piece) for piece in cut(wire, head))
    assert content == repaired, "the round trip"
    assert decoder.ended
    assert not decoder.bare
    assert not decoder.unused


def _reference(octets: bytes) -> tuple[bytes, bool, bytes]:
    content = b""
    while b"\r\n" in octets:
        line, _, octets = octets.partition(b"\r\n")
        if line == b".":
            return content, True, octets
        content += line.removeprefix(b".") + b"\r\n"
    return content, False, octets
