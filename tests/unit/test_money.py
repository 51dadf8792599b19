"""Decimal amounts in, integer minor units out, and back."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncd.money import EXPONENTS, MoneyError, from_minor, to_minor


@pytest.mark.parametrize(
    ("amount", "currency", "minor"),
    [
        ("5.20", "USD", 520),
        ("5.2", "USD", 520),
        ("5", "USD", 500),
        (5, "USD", 500),
        (Decimal("5.20"), "USD", 520),
        (Decimal("1E+2"), "USD", 10_000),
        (Decimal("0E+99"), "USD", 0),
        ("-0.01", "USD", -1),
        ("+0.01", "USD", 1),
        ("600", "JPY", 600),
        ("600.00", "JPY", 600),
        ("1.234", "KWD", 1234),
        ("0.0001", "CLF", 1),
        ("5.2000", "USD", 520),
    ],
)
def test_amounts_become_minor_units_exactly(amount: str | Decimal | int, currency: str, minor: int) -> None:
    assert to_minor(amount, currency) == minor


@pytest.mark.parametrize("amount", ["", " 5", "5\n", "5,20", "1_000", "1e3", "NaN", "٥", ".5", "5.", "--5", "9" * 41])
def test_a_text_that_is_not_a_plain_amount_is_refused(amount: str) -> None:
    with pytest.raises(MoneyError, match="is not a decimal amount"):
        to_minor(amount, "USD")


@pytest.mark.parametrize("amount", [Decimal("NaN"), Decimal("Infinity"), 1.5, True, None])
def test_a_value_that_is_not_a_plain_amount_is_refused(amount: Decimal) -> None:
    with pytest.raises(MoneyError, match="is not a decimal amount"):
        to_minor(amount, "USD")


@pytest.mark.parametrize(
    ("amount", "currency"),
    [("5.201", "USD"), ("0.5", "JPY"), ("1.2345", "KWD"), (Decimal("1E-99"), "USD"), (Decimal("1E-9999999"), "USD")],
)
def test_nothing_is_rounded(amount: str | Decimal, currency: str) -> None:
    with pytest.raises(MoneyError, match="has more than the"):
        to_minor(amount, currency)


@pytest.mark.parametrize("amount", ["92233720368547758.08", 10**40, Decimal("1E+9999999"), Decimal("1" * 50)])
def test_amounts_fit_a_database_column(amount: str | Decimal | int) -> None:
    assert to_minor("92233720368547758.07", "USD") == 2**63 - 1
    with pytest.raises(MoneyError, match="is too large"):
        to_minor(amount, "USD")


def test_an_error_names_the_field() -> None:
    with pytest.raises(MoneyError) as caught:
        to_minor("five", "USD", field="unit_price")

    assert caught.value.field == "unit_price"
    assert str(caught.value) == "unit_price: 'five' is not a decimal amount"


@pytest.mark.parametrize("currency", ["usd", "", "XXX", "XAU", "HRK", "DOLLAR"])
def test_only_active_currencies_with_a_minor_unit_are_money(currency: str) -> None:
    with pytest.raises(MoneyError) as caught:
        to_minor("5", currency)

    assert caught.value.field == "currency"


def test_the_table_of_currencies() -> None:
    assert all(len(code) == 3 and code.isupper() for code in EXPONENTS)
    assert (EXPONENTS["EUR"], EXPONENTS["JPY"], EXPONENTS["KWD"], EXPONENTS["UYW"]) == (2, 0, 3, 4)


def test_minor_units_show_the_decimals_of_their_currency() -> None:
    assert str(from_minor(520, "USD")) == "5.20"
    assert str(from_minor(-1, "KWD")) == "-0.001"
    assert str(from_minor(600, "JPY")) == "600"


@given(st.integers(-(2**63) + 1, 2**63 - 1), st.sampled_from(sorted(EXPONENTS)))
def test_there_and_back_changes_nothing(minor: int, currency: str) -> None:
    assert to_minor(from_minor(minor, currency), currency) == minor
    assert to_minor(format(from_minor(minor, currency), "f"), currency) == minor
