"""Login with Amazon: access tokens for the seller's operations and for those without a seller."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from adapters.amazon.sandbox.errors import Json, denied
from adapters.amazon.sandbox.seed import SellerSeed
from adapters.contract import Clock, Rng
from adapters.sandbox_kit.oauth import OAuthRefused

GRANTLESS_SCOPES = ("sellingpartnerapi::notifications", "sellingpartnerapi::client_credential:rotation")


@dataclass(frozen=True, slots=True)
class _Granted:
    expires_at: datetime
    scope: str | None


class Tokens:
    """Grants tokens, and knows which ones still open the seller's data."""

    def __init__(self, seed: SellerSeed, clock: Clock, rng: Rng) -> None:
        self._seed = seed
        self._clock = clock
        self._rng = rng
        self._granted: dict[str, _Granted] = {}

    def grant(self, form: Mapping[str, str]) -> Json:
        """A new access token. Older ones stay good until they expire; refresh tokens do not rotate."""
        self._check_client(form)
        grant_type = form.get("grant_type")
        if grant_type == "refresh_token":
            if not _same(form.get("refresh_token", ""), self._seed.refresh_token):
                raise OAuthRefused(400, "invalid_grant", "The request has an invalid grant parameter : refresh_token")
            return {**self._new(None), "refresh_token": self._seed.refresh_token}
        if grant_type == "client_credentials":
            scope = form.get("scope", "")
            if scope not in GRANTLESS_SCOPES:
                raise OAuthRefused(400, "invalid_scope", "The request has an invalid scope")
            return {**self._new(scope), "scope": scope}
        raise OAuthRefused(400, "unsupported_grant_type", "The authorization grant type is not supported")

    def check(self, token: str | None) -> None:
        """Raise a 401 without a token, a 403 with one that does not open the seller's data."""
        if not token:
            raise denied(401, "Access token is missing in the request header.")
        granted = self._granted.get(token)
        if granted is None:
            raise denied(403, "The access token you provided is revoked, malformed or invalid.")
        if self._clock.now() >= granted.expires_at:
            raise denied(403, "The access token you provided has expired.")
        if granted.scope is not None:
            raise denied(403, "The access token you provided is not authorized by a seller.")

    def expire(self, token: str | None) -> None:
        """Let a granted token die now."""
        granted = self._granted.get(token or "")
        if token is not None and granted is not None:
            self._granted[token] = _Granted(self._clock.now(), granted.scope)

    def expire_all(self) -> None:
        for token in self._granted:
            self.expire(token)

    def _check_client(self, form: Mapping[str, str]) -> None:
        known = form.get("client_id") == self._seed.client_id
        if not known or not _same(form.get("client_secret", ""), self._seed.client_secret):
            raise OAuthRefused(401, "invalid_client", "Client authentication failed")

    def _new(self, scope: str | None) -> Json:
        now = self._clock.now()
        day_ago = now - timedelta(days=1)  # a token dead for so long is called invalid, not expired
        self._granted = {token: one for token, one in self._granted.items() if one.expires_at > day_ago}
        token = f"Atza|{self._rng.uuid().hex}"
        self._granted[token] = _Granted(now + timedelta(seconds=self._seed.token_life_s), scope)
        return {"access_token": token, "token_type": "bearer", "expires_in": int(self._seed.token_life_s)}


def _same(given: str, secret: str) -> bool:
    return hmac.compare_digest(given.encode(), secret.encode())
