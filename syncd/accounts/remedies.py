"""What a person can do when a vendor cannot be asked, or refuses: by vendor, and by what was refused."""

from __future__ import annotations

from adapters.contract import AdapterError, AuthExpired, RateLimited, Rejected

_REFUSED = {
    "shopify": "check client_id and client_secret, and that the app is installed in this very shop",
    "amazon": (
        "check client_id, client_secret and the refresh token; they belong together. Authorise the app again if it was"
        " changed, and see that the secret has not run out"
    ),
    "ebay": (
        "check the keyset and the refresh token; they belong together. Get the seller's consent anew if the password"
        " was changed or it is older than 18 months"
    ),
    "shipbob": "check the personal access token: that it is whole, of this account, and not taken back",
}
_UNDERSTOOD = {
    "shopify": "check base_url: https://NAME.myshopify.com of the shop in which the app is installed",
    "amazon": "check seller_id, marketplace_ids and region: the seller must sell in each of these marketplaces",
    "ebay": "check marketplace_id and base_url",
    "shipbob": "check channel_id and base_url",
}


def remedy(err: AdapterError, vendor: str | None = None) -> str:
    """The remedy for one of the five kinds, in the vendor's words where it has some."""
    if isinstance(err, AuthExpired):
        otherwise = "check the credentials in the configuration, and that the app is still installed and allowed"
        return _REFUSED.get(vendor or "", otherwise)
    if isinstance(err, RateLimited):
        return f"ask again in {err.retry_after_s:.0f} s"
    if isinstance(err, Rejected):
        otherwise = "it understood and refused: check the addresses and ids in the configuration"
        return _UNDERSTOOD.get(vendor or "", otherwise)
    return "check base_url and that this machine reaches it; the daemon would go on trying"
