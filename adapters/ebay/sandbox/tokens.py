"""OAuth: three grants, tokens that live two hours, and a refresh token that never changes."""

from __future__ import annotations

import base64
import binascii
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from adapters.contract import Clock, Rng
from adapters.ebay.sandbox.errors import Json, access_denied, invalid_token
from adapters.ebay.sandbox.seed import BASE_SCOPE, SellerSeed
from adapters.sandbox_kit.oauth import OAuthRefused

REFRESH_TOKEN_LIFE_S = 47_304_000  # 18 months


class Holder(StrEnum):
    """Who a token speaks for; the value is its `token_type`."""

    USER = "User Access Token"
    APPLICATION = "Application Access Token"


@dataclass(frozen=True, slots=True)
class Token:
    holder: Holder
    scopes: frozenset[str]
    expires_at: datetime


class Tokens:
    """The tokens that open this account."""

    def __init__(self, seed: SellerSeed, clock: Clock, rng: Rng) -> None:
        self._seed = seed
        self._clock = clock
        self._rng = rng
        self._code = seed.authorization_code
        self._tokens: dict[str, Token] = {}

    def grant(self, authorization: str | None, form: Mapping[str, str]) -> Json:
        """A new access token. Older ones stay good until they expire."""
        self._refuse_stranger(authorization)
        grant_type = form.get("grant_type")
        if grant_type == "client_credentials":
            return self._mint(Holder.APPLICATION, self._asked(form, (BASE_SCOPE,)))
        if grant_type == "refresh_token":
            if not _same(form.get("refresh_token", ""), self._seed.refresh_token):
                description = "the provided authorization refresh token is invalid or was issued to another client"
                raise OAuthRefused(400, "invalid_grant", description)
            return self._mint(Holder.USER, self._asked(form, self._seed.scopes))
        if grant_type == "authorization_code":
            return self._by_code(form)
        raise OAuthRefused(400, "unsupported_grant_type", "grant type in request is not supported")

    def opened_by(self, authorization: str | None) -> Token:
        """The token in an Authorization header. Raises 401 with 1001."""
        token = self._tokens.get(_bearer(authorization))
        if token is None or self._clock.now() >= token.expires_at:
            raise invalid_token()
        return token

    def expire(self, authorization: str | None) -> None:
        """Let a granted token die now."""
        self._tokens.pop(_bearer(authorization), None)

    def expire_all(self) -> None:
        self._tokens.clear()

    def _by_code(self, form: Mapping[str, str]) -> Json:
        code = form.get("code", "")
        if self._code is None or not _same(code, self._code) or form.get("redirect_uri") != self._seed.ru_name:
            raise OAuthRefused(400, "invalid_grant", "the provided authorization grant code is invalid or expired")
        self._code = None
        minted = self._mint(Holder.USER, frozenset(self._seed.scopes))
        return {
            **minted,
            "refresh_token": self._seed.refresh_token,
            "refresh_token_expires_in": REFRESH_TOKEN_LIFE_S,
        }

    def _asked(self, form: Mapping[str, str], granted: tuple[str, ...]) -> frozenset[str]:
        asked = frozenset(form.get("scope", "").split()) or frozenset(granted)
        if not asked <= frozenset(granted):
            description = (
                "The requested scope is invalid, unknown, malformed, or exceeds the scope granted to the client"
            )
            raise OAuthRefused(400, "invalid_scope", description)
        return asked

    def _mint(self, holder: Holder, scopes: frozenset[str]) -> Json:
        now = self._clock.now()
        self._tokens = {text: token for text, token in self._tokens.items() if now < token.expires_at}
        text = f"v^1.1#i^1#f^0#t^{self._rng.uuid().hex}"
        self._tokens[text] = Token(holder, scopes, now + timedelta(seconds=self._seed.token_life_s))
        return {"access_token": text, "expires_in": int(self._seed.token_life_s), "token_type": holder.value}

    def _refuse_stranger(self, authorization: str | None) -> None:
        scheme, _, encoded = (authorization or "").partition(" ")
        try:
            told = base64.b64decode(encoded, validate=True).decode()
        except (binascii.Error, UnicodeDecodeError):
            told = ""
        if scheme.lower() != "basic" or not _same(told, f"{self._seed.client_id}:{self._seed.client_secret}"):
            raise OAuthRefused(401, "invalid_client", "client authentication failed")


def require(token: Token, scopes: Sequence[str], *, app_only: bool) -> None:
    """Raises 403 with 1100 for a token that has none of the scopes, or speaks for a user where it must not."""
    if token.scopes.isdisjoint(scopes) or (app_only and token.holder is not Holder.APPLICATION):
        raise access_denied()


def _bearer(authorization: str | None) -> str:
    scheme, _, text = (authorization or "").partition(" ")
    return text if scheme.lower() == "bearer" else ""


def _same(given: str, secret: str) -> bool:
    return hmac.compare_digest(given.encode(), secret.encode())
