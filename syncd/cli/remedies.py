"""What a person can do when a channel cannot be asked."""

from __future__ import annotations

from adapters.contract import AdapterError, AuthExpired, RateLimited, Rejected


def remedy(err: AdapterError) -> str:
    """The remedy for one of the five kinds."""
    if isinstance(err, AuthExpired):
        return "check client_id and the secret, and that the app is still installed"
    if isinstance(err, RateLimited):
        return f"ask again in {err.retry_after_s:.0f} s"
    if isinstance(err, Rejected):
        return "the channel understood and refused: check base_url and location"
    return "check base_url and that this machine reaches it; the daemon would go on trying"
