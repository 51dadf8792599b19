"""Who may read: whoever holds the token; where none is configured, only who asks from this very machine.

A program sends the token as `Authorization: Bearer TOKEN`. A browser asks its user and sends it as the password of HTTP
Basic, under any name, with every request until it is closed: nothing is kept here, and a restart ends no login.
"""

from __future__ import annotations

import binascii
import hmac
from base64 import b64decode
from hashlib import sha256
from ipaddress import IPv6Address, ip_address
from typing import Final

from aiohttp import web

from syncd.web.problems import Problem

# A proxy on this machine is a loopback peer for everybody behind it; it tells so by one of these.
_FORWARDED: Final = ("Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Real-Ip", "Via")
_REMEDY: Final = (
    "Make a token up (openssl rand -hex 32), hand it over as a secret, name it in the configuration as"
    ' api_token_secret = "SYNCD_API_TOKEN" under [http], and restart syncd'
)
_BEARER: Final = 'Bearer realm="syncd"'
_BASIC: Final = 'Basic realm="syncd", charset="UTF-8"'


def admit(request: web.Request, token: str | None, *, browser: bool = False) -> None:
    """Raise a Problem unless this request may read; with `browser` its user is asked for the token."""
    if token is None:
        if not _from_here(request):
            raise Problem(403, "no API token is configured, so only this machine itself may ask", _REMEDY)
        return
    given = _given(request.headers.get("Authorization", ""))
    if given is None or not _same(given, token):
        raise Problem(
            401,
            "the token is missing or wrong",
            "Send the header Authorization: Bearer TOKEN, or in a browser the token as the password under any name;"
            " it is the value of the secret that api_token_secret names",
            headers={"WWW-Authenticate": _BASIC if browser else _BEARER},
        )


def _given(authorization: str) -> str | None:
    kind, _, rest = authorization.partition(" ")
    if kind.lower() == "bearer":
        return rest.strip()
    if kind.lower() != "basic":
        return None
    try:
        told = b64decode(rest.strip(), validate=True).decode("utf-8")
    except (binascii.Error, UnicodeDecodeError, ValueError):
        return None
    return told.partition(":")[2]


def _same(given: str, token: str) -> bool:
    """Compare in a time that tells neither the token's length nor how much of it is right."""
    digests = (sha256(each.encode("utf-8", "surrogateescape")).digest() for each in (given, token))
    return hmac.compare_digest(*digests)


def _from_here(request: web.Request) -> bool:
    """Whether a program of this machine asks: no proxy's guest, and no web page that renamed this address."""
    forwarded = any(name in request.headers for name in _FORWARDED)
    return not forwarded and _is_loopback(request.remote or "") and _is_this_machine(request.host)


def _is_this_machine(host: str) -> bool:
    name = host.rsplit(":", 1)[0] if host.rpartition(":")[2].isdecimal() else host
    return name.lower() == "localhost" or _is_loopback(name.strip("[]"))


def _is_loopback(address: str) -> bool:
    try:
        ip = ip_address(address)
    except ValueError:
        return False
    mapped = ip.ipv4_mapped if isinstance(ip, IPv6Address) else None
    return (mapped or ip).is_loopback
