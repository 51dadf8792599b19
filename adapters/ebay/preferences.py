"""What the seller has chosen for the whole account, as far as it concerns us."""

from __future__ import annotations

from adapters.contract import RateLimited, Transient
from adapters.ebay.refusals import MissingScope, Refused
from adapters.ebay.rest import Call, EbayRest
from adapters.ebay.wire import Wire

PREFERENCES = "/sell/account/v2/user_preferences"
_WHERE = 'My eBay > Account > Site preferences, "Listings stay active when you\'re out of stock"'


class UserPreferences(Wire, frozen=True):
    out_of_stock_control_preference: object = None


async def out_of_stock_warning(rest: EbayRest) -> str | None:
    """Why a number of 0 is, or may be, the end of a listing; None where the listing is kept and only hidden."""
    call = Call("GET", PREFERENCES, {"fieldgroups": "OUT_OF_STOCK_CONTROL"})
    try:
        kept = (await rest.ask(call, UserPreferences)).out_of_stock_control_preference
    except MissingScope:
        return _unchecked("the consent has no scope sell.account.readonly")
    except (Refused, Transient, RateLimited) as err:
        return _unchecked(str(err))
    if kept is True:
        return None
    if kept is False:
        return f"out-of-stock control is off: a listing ends when its number becomes 0; switch it on at {_WHERE}"
    return _unchecked("eBay does not say")


def _unchecked(why: str) -> str:
    return f"whether listings outlive a number of 0 could not be checked ({why}); see that it is on at {_WHERE}"
