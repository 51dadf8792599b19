"""What a person can do when a channel cannot be asked."""

from __future__ import annotations

from adapters.contract import AdapterError, AuthExpired, RateLimited, Rejected


def remedy(err: AdapterError) -> str:
    """The remedy for one of the five kinds."""
    if isinstance(err, AuthExpired):
        return "check the credentials in the configuration, and that the app is still installed and allowed"
    if isinstance(err, RateLimited):
        return f"ask again in {err.retry_after_s:.0f} s"
    if isinstance(err, Rejected):
        return "it understood and refused: check the addresses and ids in the configuration"
    return "check base_url and that this machine reaches it; the daemon would go on trying"
