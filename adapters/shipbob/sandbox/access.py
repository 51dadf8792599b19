"""Who may come in: one personal access token, and the channel it opens."""

from __future__ import annotations

from collections.abc import Mapping

from adapters.shipbob.sandbox.seed import WarehouseSeed


class Access:
    """The token lives for ever, until somebody revokes it; `revoked` can be taken back."""

    def __init__(self, seed: WarehouseSeed) -> None:
        self._token = f"Bearer {seed.token}"
        self._channel = str(seed.channel_id)
        self.revoked = False

    def refusal(self, headers: Mapping[str, str]) -> int | None:
        """The status that turns a request away, if any."""
        if self.revoked or headers.get("Authorization") != self._token:
            return 401
        if headers.get("shipbob_channel_id", self._channel) != self._channel:
            return 403
        return None
