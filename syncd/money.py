"""Money at the edge: decimal amounts in and out, integer minor units everywhere inside."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Final

from syncd.errors import SyncdError

LARGEST_MINOR: Final = 2**63 - 1  # what a database column holds

_AMOUNT: Final = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?", re.ASCII)

# ISO 4217, list one: the active codes that have a minor unit, by the number of its decimals. Metals, the SDR and
# the testing codes have none and are left out.
_CODES: Final = {
    0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF",
    2: """
        AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD CDF CHE CHF CHW
        CNY COP COU CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF
        IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK
        MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP
        SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD USN UYU UZS VED VES WST XAD XCD XCG
        YER ZAR ZMW ZWG
    """,
    3: "BHD IQD JOD KWD LYD OMR TND",
    4: "CLF UYW",
}
EXPONENTS: Final = {code: exponent for exponent, codes in _CODES.items() for code in codes.split()}


class MoneyError(SyncdError):
    """An amount that cannot be money: which field, and why."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"{field}: {reason}")
        self.field = field
        self.reason = reason


def to_minor(amount: str | Decimal | int, currency: str, *, field: str = "amount") -> int:
    """The integer minor units of an amount, exactly: "5.20" USD is 520, "5" JPY is 5.

    Zeros beyond the currency's decimals are fine, other digits are an error: nothing is rounded. Raises MoneyError.
    """
    exponent = _exponent(currency)
    value = _decimal(amount, field)
    if value.is_zero():
        return 0
    sign, digits, power = value.as_tuple()
    assert isinstance(power, int)
    if value.adjusted() > 18 or len(digits) > 40:
        raise MoneyError(field, "is too large")
    whole = int("".join(map(str, digits)))
    shift = power + exponent
    if shift < 0 and any(digits[shift:]):
        raise MoneyError(field, f"has more than the {exponent} decimals of {currency}")
    scale: int = 10 ** abs(shift)
    minor = whole * scale if shift >= 0 else whole // scale
    if minor > LARGEST_MINOR:
        raise MoneyError(field, "is too large")
    return -minor if sign else minor


def from_minor(minor: int, currency: str) -> Decimal:
    """The amount of integer minor units, with the currency's decimals: 520 USD is Decimal("5.20")."""
    return Decimal(minor).scaleb(-_exponent(currency))


def _exponent(currency: str) -> int:
    try:
        return EXPONENTS[currency]
    except KeyError:
        raise MoneyError("currency", f"{currency!r} is not an active ISO 4217 code") from None


def _decimal(amount: str | Decimal | int, field: str) -> Decimal:
    """Only plain decimal notation: no floats, exponents, NaN, separators or spaces."""
    if isinstance(amount, str):
        plain = len(amount) <= 40 and _AMOUNT.fullmatch(amount) is not None
    elif isinstance(amount, Decimal):
        plain = amount.is_finite()
    else:
        plain = type(amount) is int  # neither bool nor float
    if not plain:
        raise MoneyError(field, f"{amount!r:.50} is not a decimal amount")
    return Decimal(amount)
