"""The GraphQL documents that the tests send."""

from __future__ import annotations

SET = """mutation Set($input: InventorySetQuantitiesInput!, $key: String!) {
  inventorySetQuantities(input: $input) @idempotent(key: $key) {
    inventoryAdjustmentGroup {
      id createdAt reason referenceDocumentUri
      changes { name delta quantityAfterChange item { id } location { id } }
    }
    userErrors { field message code }
  }
}"""

ORDERS = """query Orders($first: Int!, $after: String, $query: String) {
  orders(first: $first, after: $after, query: $query, sortKey: UPDATED_AT) {
    pageInfo { hasNextPage endCursor }
    nodes {
      id name createdAt updatedAt cancelledAt edited
      lineItems(first: 20) { nodes { id sku quantity currentQuantity unfulfilledQuantity variant { id } } }
      refunds(first: 5) { id refundLineItems(first: 5) { nodes { quantity restockType lineItem { id } } } }
    }
  }
}"""

ORDER = """query One($ids: [ID!]!) { nodes(ids: $ids) { ... on Order {
  id name createdAt updatedAt cancelledAt cancelReason edited test displayFinancialStatus displayFulfillmentStatus
  currencyCode shippingAddress { name zip countryCodeV2 }
  lineItems(first: 20) { nodes {
    id sku quantity currentQuantity unfulfilledQuantity nonFulfillableQuantity refundableQuantity requiresShipping
    originalUnitPriceSet { shopMoney { amount currencyCode } } variant { id inventoryItem { id tracked } }
  } }
  refunds(first: 5) { id createdAt refundLineItems(first: 5) { nodes {
    quantity restockType restocked location { id } lineItem { id }
  } } }
  fulfillments(first: 20) { createdAt status }
} } }"""
