"""Access tokens: asked for with the app's credentials, good for a day."""

from __future__ import annotations

import hmac
from datetime import datetime, timedelta

from adapters.contract import Clock, Rng
from adapters.sandbox_kit.oauth import OAuthRefused
from adapters.shopify.sandbox.errors import Json
from adapters.shopify.sandbox.seed import ShopSeed

INVALID_TOKEN = {"errors": "[API] Invalid API key or access token (unrecognized login or wrong password)"}


class Tokens:
    """The tokens that open this shop."""

    def __init__(self, seed: ShopSeed, clock: Clock, rng: Rng) -> None:
        self._seed = seed
        self._clock = clock
        self._rng = rng
        self._expiries: dict[str, datetime] = {}

    def grant(self, request: Json) -> Json:
        """A new token by client credentials. Older ones stay good until they expire."""
        if request.get("grant_type") != "client_credentials":
            raise OAuthRefused(400, "unsupported_grant_type", "The grant type is not supported.")
        if request.get("client_id") != self._seed.client_id:
            message = f"Could not find Shopify API application with api_key {request.get('client_id')}"
            raise OAuthRefused(400, "application_cannot_be_found", message)
        if not hmac.compare_digest(str(request.get("client_secret")).encode(), self._seed.client_secret.encode()):
            raise OAuthRefused(401, "invalid_client", "The client secret is not valid.")
        self._drop_expired()
        token = f"shpat_{self._rng.uuid().hex}"
        self._expiries[token] = self._clock.now() + timedelta(seconds=self._seed.token_life_s)
        return {
            "access_token": token,
            "scope": ",".join(self._seed.scopes),
            "expires_in": int(self._seed.token_life_s),
        }

    def opens(self, token: str | None) -> bool:
        if token is None:
            return False
        if token == self._seed.access_token:
            return True
        expiry = self._expiries.get(token)
        return expiry is not None and self._clock.now() < expiry

    def expire(self, token: str | None) -> None:
        """Let a granted token die now."""
        self._expiries.pop(token or "", None)

    def expire_all(self) -> None:
        self._expiries.clear()

    def _drop_expired(self) -> None:
        now = self._clock.now()
        self._expiries = {token: expiry for token, expiry in self._expiries.items() if now < expiry}
