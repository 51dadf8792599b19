"""Orders as the Fulfillment API prints them."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from adapters.ebay.sandbox.errors import Json
from adapters.ebay.sandbox.instants import printed
from adapters.ebay.sandbox.marketplaces import country_of
from adapters.ebay.sandbox.records import Line, Order, Shipment, ShipTo
from adapters.ebay.sandbox.seed import SellerSeed

_CENT = Decimal("0.01")


def order_view(order: Order, seed: SellerSeed, *, detailed: bool) -> Json:
    """`detailed` is getOrder: in lists `cancelRequests` is always empty, as live."""
    total = sum((_cost(line) for line in order.lines), Decimal(0))
    paid = _amount(total, seed)
    refunded = order.cancelled_at is not None
    return {
        "orderId": order.id,
        "creationDate": printed(order.created_at),
        "lastModifiedDate": printed(order.modified_at),
        "orderFulfillmentStatus": order.fulfillment_status,
        "orderPaymentStatus": "FULLY_REFUNDED" if refunded else "PAID",
        "sellerId": seed.seller_id,
        "buyer": _buyer(order),
        "pricingSummary": {"priceSubtotal": paid, "deliveryCost": _amount(Decimal(0), seed), "total": paid},
        "cancelStatus": _cancel_status(order, detailed=detailed),
        "paymentSummary": _payment_summary(order, total, seed),
        "fulfillmentStartInstructions": [_instruction(order, seed)],
        "fulfillmentHrefs": [
            f"/sell/fulfillment/v1/order/{order.id}/shipping_fulfillment/{shipment.id}" for shipment in order.shipments
        ],
        "lineItems": [_line_view(order, line, seed) for line in order.lines],
        "ebayCollectAndRemitTax": False,
        "salesRecordReference": str(order.serial + 1),
        "totalFeeBasisAmount": paid,
    }


def shipment_view(shipment: Shipment) -> Json:
    view: Json = {
        "fulfillmentId": shipment.id,
        "shippedDate": printed(shipment.shipped_at),
        "lineItems": [{"lineItemId": line.id, "quantity": quantity} for line, quantity in shipment.lines],
    }
    if shipment.tracking is not None:
        view |= {"shipmentTrackingNumber": shipment.tracking, "shippingCarrierCode": shipment.carrier}
    return view


def _line_view(order: Order, line: Line, seed: SellerSeed) -> Json:
    """`sku` is missing where the listing was not made by the Inventory API."""
    cost = _amount(_cost(line), seed)
    view: Json = {
        "lineItemId": line.id,
        "legacyItemId": line.offer.listing_id,
        "title": line.title,
        "lineItemCost": cost,
        "quantity": line.quantity,
        "soldFormat": line.offer.format.value,
        "listingMarketplaceId": seed.marketplace_id,
        "purchaseMarketplaceId": seed.marketplace_id,
        "lineItemFulfillmentStatus": "FULFILLED" if line.shipped else "NOT_STARTED",
        "total": cost,
        "deliveryCost": {"shippingCost": _amount(Decimal(0), seed)},
        "appliedPromotions": [],
        "taxes": [],
        "refunds": [_refund(order, _cost(line), seed)] if order.cancelled_at is not None else [],
        "properties": {"buyerProtection": True},
        "lineItemFulfillmentInstructions": {
            "minEstimatedDeliveryDate": printed(order.created_at + timedelta(days=3)),
            "maxEstimatedDeliveryDate": printed(order.created_at + timedelta(days=6)),
            "shipByDate": printed(order.created_at + timedelta(days=2)),
            "guaranteedDelivery": False,
        },
        "itemLocation": {"location": "Main warehouse", "countryCode": country_of(seed.marketplace_id)},
    }
    if line.offer.item.in_inventory:
        view["sku"] = line.offer.item.sku
    if line.offer.variation_id is not None:
        view["legacyVariationId"] = line.offer.variation_id
    return view


def _cancel_status(order: Order, *, detailed: bool) -> Json:
    if order.cancelled_at is None:
        return {"cancelState": "NONE_REQUESTED", "cancelRequests": []}
    at = printed(order.cancelled_at)
    request = {
        "cancelRequestId": order.cancel_id,
        "cancelInitiator": "BUYER",
        "cancelReason": "BUYER_CANCEL_OR_ADDRESS_ISSUE",
        "cancelRequestedDate": at,
        "cancelCompletedDate": at,
        "cancelRequestState": "COMPLETED",
    }
    return {"cancelState": "CANCELED", "cancelledDate": at, "cancelRequests": [request] if detailed else []}


def _payment_summary(order: Order, total: Decimal, seed: SellerSeed) -> Json:
    assert order.paid_at is not None, "unpaid purchases are shown to nobody"
    payment = {
        "paymentMethod": "EBAY",
        "paymentReferenceId": f"P{order.serial + 1:010d}",
        "paymentDate": printed(order.paid_at),
        "amount": _amount(total, seed),
        "paymentStatus": "PAID",
    }
    cancelled = order.cancelled_at is not None
    return {
        "totalDueSeller": _amount(Decimal(0) if cancelled else total, seed),
        "payments": [payment],
        "refunds": [{**_refund(order, total, seed), "refundStatus": "REFUNDED"}] if cancelled else [],
    }


def _refund(order: Order, amount: Decimal, seed: SellerSeed) -> Json:
    assert order.cancelled_at is not None, "only cancelled orders are refunded here"
    return {
        "refundId": order.cancel_id,
        "refundDate": printed(order.cancelled_at),
        "amount": _amount(amount, seed),
    }


def _buyer(order: Order) -> Json:
    place = _address(order.ship_to)
    tax_address = {key: place[key] for key in ("stateOrProvince", "postalCode", "countryCode") if key in place}
    return {
        "username": order.buyer,
        "taxAddress": tax_address,
        "buyerRegistrationAddress": {"fullName": order.ship_to.name, "contactAddress": place},
    }


def _instruction(order: Order, seed: SellerSeed) -> Json:
    ship_to: Json = {"fullName": order.ship_to.name, "contactAddress": _address(order.ship_to)}
    if order.ship_to.phone is not None:
        ship_to["primaryPhone"] = {"phoneNumber": order.ship_to.phone}
    return {
        "fulfillmentInstructionsType": "SHIP_TO",
        "minEstimatedDeliveryDate": printed(order.created_at + timedelta(days=3)),
        "maxEstimatedDeliveryDate": printed(order.created_at + timedelta(days=6)),
        "ebaySupportedFulfillment": False,
        "shippingStep": {
            "shippingCarrierCode": "USPS" if seed.marketplace_id == "EBAY_US" else "DHL",
            "shippingServiceCode": "ShippingMethodStandard",
            "shipTo": ship_to,
        },
    }


def _address(ship_to: ShipTo) -> Json:
    told = {
        "addressLine1": ship_to.address1,
        "addressLine2": ship_to.address2,
        "city": ship_to.city,
        "stateOrProvince": ship_to.province,
        "postalCode": ship_to.zip,
        "countryCode": ship_to.country,
    }
    return {key: value for key, value in told.items() if value is not None}


def _cost(line: Line) -> Decimal:
    return Decimal(line.price) * line.quantity


def _amount(value: Decimal, seed: SellerSeed) -> Json:
    """Money is text on the wire."""
    return {"value": str(value.quantize(_CENT)), "currency": seed.currency}
