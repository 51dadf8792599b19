"""Signatures, topics, and that nothing signed can make resolving fail."""

from __future__ import annotations

import base64
import hashlib
import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.contract import Forged, Ignored, ListingHint, Malformed, OrderHint, OrderNews, RawEvent
from adapters.shopify.webhook import resolve, verify
from tests.unit.shopify.builders import LOCATION, AnOrder, fault_in, resolved

SECRET = "hush-hush-syncd-test-secret"
VECTORS = [
    (
        '{"id":820982911946154508,"admin_graphql_api_id":"gid:\\/\\/shopify\\/Order\\/820982911946154508",'
        '"note":"café ☃"}',
        "OGSG8YmAoA4juwSHhTetobktrqKsFy4KwAi8tJh5Mpc=",
    ),
    (
        '{"inventory_item_id":271878346596884015,"location_id":24826418,"available":10,'
        '"updated_at":"2026-11-22T00:00:00Z",'
        '"admin_graphql_api_id":"gid://shopify/InventoryLevel/24826418?inventory_item_id=271878346596884015"}',
        "Bb95VH9U2D5G/CtbOk/BmE1Zdo5MzkgD1AmToiQ/G5o=",
    ),
]
TOPICS = [
    "poll/order",
    "orders/create",
    "orders/edited",
    "refunds/create",
    "inventory_levels/update",
    "app/uninstalled",
]


def sign(body: bytes, secret: str = SECRET) -> str:
    return base64.b64encode(hmac.new(secret.encode(), body, hashlib.sha256).digest()).decode()


def delivery(body: bytes, signature: str, **more: str) -> dict[str, str]:
    return {
        "X-Shopify-Hmac-Sha256": signature,
        "X-Shopify-Topic": "orders/create",
        "X-Shopify-Webhook-Id": "b54557e4-bdd9-4b37-8a5f-bf7d70bcd043",
        **more,
    }


@pytest.mark.parametrize(("body", "signature"), VECTORS)
def test_the_vendors_own_vectors_verify_and_one_wrong_character_does_not(body: str, signature: str) -> None:
    raw = body.encode()
    wrong = ("A" if signature[0] != "A" else "B") + signature[1:]

    event = verify(delivery(raw, signature), raw, (SECRET,))

    assert event == RawEvent("webhook:b54557e4-bdd9-4b37-8a5f-bf7d70bcd043", "orders/create", raw)
    for forged in (wrong, "", "é", signature + "x"):
        with pytest.raises(Forged):
            verify(delivery(raw, forged), raw, (SECRET,))
    with pytest.raises(Forged):
        verify(delivery(raw, signature), raw + b" ", (SECRET,))


def test_header_names_are_compared_without_case() -> None:
    headers = {name.lower(): value for name, value in delivery(b"{}", sign(b"{}")).items()}

    assert verify(headers, b"{}", (SECRET,)).topic == "orders/create"


def test_the_previous_secret_still_signs_and_any_other_does_not() -> None:
    headers = delivery(b"{}", sign(b"{}", "old"))

    assert verify(headers, b"{}", ("new", "old")).body == b"{}"
    with pytest.raises(Forged):
        verify(headers, b"{}", ("new", "older"))


def test_an_empty_body_and_a_delivery_without_signature_are_refused() -> None:
    for headers in (delivery(b"", sign(b"")), {}):
        with pytest.raises(Forged):
            verify(headers, b"", (SECRET,))


def test_a_delivery_without_a_usable_id_is_known_by_its_bytes() -> None:
    first = verify(delivery(b"{}", sign(b"{}"), **{"X-Shopify-Webhook-Id": "no spaces\n"}), b"{}", (SECRET,))
    again = verify({"X-Shopify-Hmac-Sha256": sign(b"{}")}, b"{}", (SECRET,))

    assert first.event_key == again.event_key
    assert again.topic == ""


@pytest.mark.parametrize("topic", ["orders/create", "orders/updated", "orders/cancelled", "orders/paid"])
def test_order_topics_carry_the_whole_order(topic: str) -> None:
    assert isinstance(resolved(topic, AnOrder().payload()), OrderNews)


def test_edits_and_refunds_only_name_the_order() -> None:
    edit = {"order_edit": {"id": 78912328793, "order_id": 820982911946154508, "line_items": {"additions": []}}}
    refund = {"id": 890088186047892319, "order_id": 820982911946154508, "refund_line_items": []}

    hint = OrderHint("gid://shopify/Order/820982911946154508")

    assert resolved("orders/edited", edit) == hint
    assert resolved("refunds/create", refund) == hint


@pytest.mark.parametrize(("available", "expected"), [(10, 10), (-2, -2), (None, None), ("10", None), (True, None)])
def test_a_level_is_a_hint_with_exact_ids(available: object, expected: int | None) -> None:
    body = {"inventory_item_id": 271878346596884015, "location_id": 24826418, "available": available}

    assert resolved("inventory_levels/update", body) == ListingHint(
        "gid://shopify/InventoryItem/271878346596884015", "gid://shopify/Location/24826418", expected
    )


def test_other_topics_are_ignored() -> None:
    assert isinstance(resolved("products/update", {}), Ignored)
    assert isinstance(resolved("", {}), Ignored)


@pytest.mark.parametrize(
    ("topic", "body", "field"),
    [
        ("orders/edited", {"order_edit": {"order_id": "5"}}, "order_edit.order_id"),
        ("orders/edited", {"order_edit": {"order_id": 0}}, "id"),
        ("refunds/create", {}, "body"),
        ("inventory_levels/update", {"inventory_item_id": 2.5, "location_id": 1}, "inventory_item_id"),
        ("orders/create", [], "body"),
    ],
)
def test_what_cannot_be_read_is_malformed_and_names_the_field(topic: str, body: object, field: str) -> None:
    assert fault_in(resolved(topic, body)) == field


@pytest.mark.parametrize(
    "body", [b"", b"{", b"\xff", b"[" * 100_000, b"1e400", b"9" * 5000, b'"\\ud800 "', b"\xef\xbb\xbf{}"]
)
@pytest.mark.parametrize("topic", TOPICS[:-1])
def test_broken_json_is_malformed(topic: str, body: bytes) -> None:
    assert isinstance(resolve(RawEvent("key", topic, body), LOCATION), Malformed)


@given(st.sampled_from(TOPICS), st.binary())
def test_resolving_any_bytes_never_fails(topic: str, body: bytes) -> None:
    resolve(RawEvent("key", topic, body), LOCATION)
