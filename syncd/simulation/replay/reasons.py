"""What became of each line of an orders file: one of these, for every line."""

from __future__ import annotations

from enum import StrEnum


class Reason(StrEnum):
    """In the words of the report. The sum over all of them is the number of lines."""

    ORDERED = "ordered"
    SOLD_OUT = "the channel showed too little of it"
    TAKEN_BACK = "cancellation, taken back by the channel"
    NOT_TAKEN_BACK = "cancellation, which the channel takes back of whole orders only"
    NEVER_SOLD = "cancellation of what was sold out before"
    UNMATCHED = "cancellation without an earlier order"
    NO_GOODS = "no goods: postage, fees, samples, vouchers"
    NEGATIVE = "negative quantity: a correction of stock"
    NO_QUANTITY = "quantity 0"
    NO_PRICE = "price 0 or below: given away or written off"
    DOUBLE = "the same line of the same order again"
    BROKEN = "broken row"
    OUTSIDE = "outside the slice asked for"
    NOT_REACHED = "not reached: the replay was stopped"
