"""Warehouses that ship for us: each reference once, found again, watched until it leaves, called back in time."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from adapters.contract import Address, Forged, OutcomeUnknown, Rejected, Transient
from adapters.warehouse import ShipmentLine, ShipmentOrder, ShipmentState, ShipmentStatus
from tests.contract.suite.conftest import OpensWarehouse
from tests.contract.suite.rigs.channel_rig import HOOK
from tests.contract.suite.rigs.warehouse_rig import WarehouseRig

ADA = Address("Ada Lovelace", ("1 Main Street",), "Springfield", "IL", "62701", "US")


def an_order(rig: WarehouseRig, reference: str = "order-1", **pieces: int) -> ShipmentOrder:
    lines = tuple(
        ShipmentLine(str(number), sku, count, f"A {sku.lower()} clock")
        for number, (sku, count) in enumerate((pieces or {"RED": 2}).items())
    )
    return ShipmentOrder(reference, f"#{reference}", ADA, lines, rig.now)


async def changed(rig: WarehouseRig, since: datetime) -> list[ShipmentState]:
    return [state async for page in rig.fulfiller.poll_shipments(since) for state in page]


async def polled(rig: WarehouseRig, reference: str) -> ShipmentState:
    """The newest state that a poll tells of a reference."""
    return [each for each in await changed(rig, rig.now - timedelta(days=1)) if each.reference == reference][-1]


async def test_a_shipment_is_accepted_and_reserves_there(opens_fulfiller: OpensWarehouse) -> None:
    rig = await opens_fulfiller()

    state = await rig.fulfiller.submit(an_order(rig))

    assert (state.reference, state.status, dict(state.shipped)) == ("order-1", ShipmentStatus.ACCEPTED, {})
    assert await rig.free() == {"RED": 8, "BLUE": 5, "GREEN": 0}


async def test_a_reference_is_shipped_once_however_often_it_is_submitted(opens_fulfiller: OpensWarehouse) -> None:
    rig = await opens_fulfiller()
    first = await rig.fulfiller.submit(an_order(rig))
    await rig.passes(5)

    again = await rig.fulfiller.submit(an_order(rig))
    other = await rig.fulfiller.submit(an_order(rig, "order-2", BLUE=1))

    assert again.warehouse_shipment_id == first.warehouse_shipment_id != other.warehouse_shipment_id
    assert await rig.free() == {"RED": 8, "BLUE": 4, "GREEN": 0}


async def test_a_submission_whose_reply_is_lost_is_found_again(opens_fulfiller: OpensWarehouse) -> None:
    rig = await opens_fulfiller()
    await rig.meets("lost_reply", rig.submit_operation)

    with pytest.raises(OutcomeUnknown):
        await rig.fulfiller.submit(an_order(rig))

    found = await rig.fulfiller.find("order-1")
    assert found is not None
    assert found.status is ShipmentStatus.ACCEPTED
    assert (await rig.fulfiller.submit(an_order(rig))).warehouse_shipment_id == found.warehouse_shipment_id
    assert (await rig.free())["RED"] == 8


async def test_a_submission_that_a_server_error_met_is_unknown_and_not_found(opens_fulfiller: OpensWarehouse) -> None:
    rig = await opens_fulfiller()
    await rig.meets("server_error", rig.submit_operation)

    with pytest.raises(OutcomeUnknown):
        await rig.fulfiller.submit(an_order(rig))

    assert await rig.fulfiller.find("order-1") is None
    assert (await rig.free())["RED"] == 10


async def test_a_submission_waits_when_it_is_told_to(opens_fulfiller: OpensWarehouse) -> None:
    rig = await opens_fulfiller()
    before = rig.now
    await rig.meets("rate_limit", rig.submit_operation)

    assert (await rig.fulfiller.submit(an_order(rig))).status is ShipmentStatus.ACCEPTED
    assert rig.now > before
    assert (await rig.free())["RED"] == 8


async def test_a_reference_nobody_submitted_is_not_found(opens_fulfiller: OpensWarehouse) -> None:
    rig = await opens_fulfiller()
    await rig.fulfiller.submit(an_order(rig, "order-11"))

    assert await rig.fulfiller.find("order-1") is None


async def test_what_it_never_will_ship_is_rejected(opens_fulfiller: OpensWarehouse) -> None:
    rig = await opens_fulfiller()

    with pytest.raises(Rejected) as refused:
        await rig.fulfiller.submit(an_order(rig, NO_SUCH_CLOCK=1))

    assert refused.value.field
    assert "Ada" not in str(refused.value)
    assert await rig.fulfiller.find("order-1") is None


async def test_tracking_comes_in_when_it_leaves(opens_fulfiller: OpensWarehouse) -> None:
    rig = await opens_fulfiller()
    submitted = await rig.fulfiller.submit(an_order(rig, RED=2, BLUE=1))
    await rig.passes(30)

    await rig.ships(submitted.warehouse_shipment_id)

    state = await polled(rig, "order-1")
    (parcel,) = state.parcels
    assert state.status is ShipmentStatus.SHIPPED
    assert dict(state.shipped) == dict(parcel.pieces) == {"RED": 2, "BLUE": 1}
    assert parcel.tracking_number
    assert parcel.carrier
    assert parcel.shipped_at is not None
    assert parcel.shipped_at.utcoffset() == timedelta(0)
    assert await rig.free() == {"RED": 8, "BLUE": 4, "GREEN": 0}
    assert await rig.fulfiller.find("order-1") == state


async def test_everything_that_changed_is_polled(opens_fulfiller: OpensWarehouse) -> None:
    rig = await opens_fulfiller({"RED": 2000})
    started_at = rig.now
    submitted = {}
    for number in range(260):
        state = await rig.fulfiller.submit(an_order(rig, f"order-{number}", RED=1))
        submitted[state.reference] = state.warehouse_shipment_id
    await rig.passes(60)

    found = await changed(rig, started_at - timedelta(seconds=rig.fulfiller.traits.shipments_overlap_s))

    assert {state.reference: state.warehouse_shipment_id for state in found} == submitted
    await rig.passes(3600)
    late = rig.now
    await rig.ships(submitted["order-7"])
    assert "order-7" in {each.reference for each in await changed(rig, late)}


async def test_a_shipment_is_called_back_in_time_and_its_goods_are_free(opens_fulfiller: OpensWarehouse) -> None:
    rig = await opens_fulfiller()
    submitted = await rig.fulfiller.submit(an_order(rig))

    assert (await rig.fulfiller.cancel(submitted.warehouse_shipment_id)).done
    assert (await rig.free())["RED"] == 10
    assert (await polled(rig, "order-1")).status is ShipmentStatus.CANCELLED
    assert (await rig.fulfiller.cancel(submitted.warehouse_shipment_id)).done


async def test_what_is_being_picked_is_too_late_and_stays_promised(opens_fulfiller: OpensWarehouse) -> None:
    rig = await opens_fulfiller()
    submitted = await rig.fulfiller.submit(an_order(rig))
    await rig.begins_to_pick(submitted.warehouse_shipment_id)

    answer = await rig.fulfiller.cancel(submitted.warehouse_shipment_id)

    assert (answer.done, bool(answer.reason)) == (False, True)
    assert (await rig.free())["RED"] == 8
    assert (await polled(rig, "order-1")).status is ShipmentStatus.PICKING


async def test_what_has_left_cannot_be_called_back(opens_fulfiller: OpensWarehouse) -> None:
    rig = await opens_fulfiller()
    submitted = await rig.fulfiller.submit(an_order(rig))
    await rig.ships(submitted.warehouse_shipment_id)

    assert not (await rig.fulfiller.cancel(submitted.warehouse_shipment_id)).done
    assert (await polled(rig, "order-1")).status is ShipmentStatus.SHIPPED


async def test_a_cancellation_whose_reply_is_lost_is_found_again(opens_fulfiller: OpensWarehouse) -> None:
    rig = await opens_fulfiller()
    submitted = await rig.fulfiller.submit(an_order(rig))
    await rig.meets("lost_reply", rig.cancel_operation)

    with pytest.raises(OutcomeUnknown):
        await rig.fulfiller.cancel(submitted.warehouse_shipment_id)

    found = await rig.fulfiller.find("order-1")
    assert found is not None
    assert found.status is ShipmentStatus.CANCELLED


async def test_an_outage_that_lasts_leaves_a_submission_unknown_or_unsent(opens_fulfiller: OpensWarehouse) -> None:
    rig = await opens_fulfiller()
    await rig.is_down(86_400)

    with pytest.raises((OutcomeUnknown, Transient)):
        await rig.fulfiller.submit(an_order(rig))

    await rig.is_down(0)
    assert await rig.fulfiller.find("order-1") is None


@pytest.mark.parametrize("forgery", ["another body", "another signature", "no signature", "yesterday's"])
async def test_a_forged_webhook_is_refused_and_a_right_one_taken(opens_fulfiller: OpensWarehouse, forgery: str) -> None:
    rig = await opens_fulfiller()
    await rig.fulfiller.ensure_webhooks(HOOK)
    submitted = await rig.fulfiller.submit(an_order(rig))
    await rig.ships(submitted.warehouse_shipment_id)
    await rig.passes(15)
    headers, body = rig.mail.got[0]
    signature = headers[rig.signature_header]

    assert rig.fulfiller.verify_webhook(headers, body)

    if forgery == "yesterday's":
        await rig.passes(86_400)
    forged: dict[str, tuple[dict[str, str], bytes]] = {
        "another body": (headers, body + b" "),
        "another signature": ({**headers, rig.signature_header: signature[:-6] + signature[-6:].swapcase()}, body),
        "no signature": ({k: v for k, v in headers.items() if k != rig.signature_header}, body),
        "yesterday's": (headers, body),
    }
    with pytest.raises(Forged):
        rig.fulfiller.verify_webhook(*forged[forgery])
