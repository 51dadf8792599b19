"""The GraphQL documents, static and validated in the test suite against Shopify's own 2026-10 schema.

`cost` is the requested cost at the largest page, estimated with a model fitted on recorded answers (connection of
N = 2 + floor(2 ln N) * node); it only counts until the first answer names the real one. A single query may cost
at most 1000 (shopify.dev/docs/api/usage/limits, 2026-10).
"""

from __future__ import annotations

from dataclasses import dataclass

LINES_IN_ORDER = 20  # lines that come with the order; longer orders are read to their end
REFUNDS_IN_ORDER = 10  # `refunds` is a plain list: it has no cursor, so a full one is read again, longer
REFUND_LINES_IN_ORDER = 20
MOST_REFUNDS = 100
FULFILLMENTS_IN_ORDER = 20  # a plain list too
MOST_FULFILLMENTS = 250


@dataclass(frozen=True, slots=True)
class Operation:
    """One document. `effect`: a write. `urgent`: an order read, which may use the reserve of the rate budget."""

    name: str
    document: str
    cost: int
    effect: bool = False
    urgent: bool = False


_LINE = """
  id sku quantity currentQuantity unfulfilledQuantity nonFulfillableQuantity requiresShipping
  variant { id }
  originalUnitPriceSet { shopMoney { amount currencyCode } }
"""

_REFUND_LINE = "quantity restockType location { id } lineItem { id }"

_FULFILLMENT = "createdAt status"

_PAGE_INFO = "pageInfo { hasNextPage endCursor }"

_ORDER = f"""
  id name createdAt updatedAt processedAt cancelledAt cancelReason closed closedAt test edited
  sourceName sourceIdentifier displayFinancialStatus displayFulfillmentStatus currencyCode
  shippingAddress {{ name address1 address2 city provinceCode zip countryCodeV2 }}
  lineItems(first: {LINES_IN_ORDER}) {{ {_PAGE_INFO} nodes {{ {_LINE} }} }}
  refunds(first: {REFUNDS_IN_ORDER}) {{
    id createdAt
    refundLineItems(first: {REFUND_LINES_IN_ORDER}) {{ {_PAGE_INFO} nodes {{ {_REFUND_LINE} }} }}
  }}
  fulfillments(first: {FULFILLMENTS_IN_ORDER}) {{ {_FULFILLMENT} }}
"""

# Without a status filter the connection answers orders of every status; the default sort key is PROCESSED_AT.
ORDERS = Operation(
    "SyncdOrders",
    f"""query SyncdOrders($first: Int!, $after: String, $query: String!) {{
  orders(first: $first, after: $after, query: $query, sortKey: UPDATED_AT) {{
    {_PAGE_INFO}
    nodes {{ {_ORDER} }}
  }}
}}""",
    cost=365,
    urgent=True,
)

# No __typename: the node must be byte for byte the one that a poll gives.
ORDERS_BY_ID = Operation(
    "SyncdOrdersById",
    f"""query SyncdOrdersById($ids: [ID!]!) {{
  nodes(ids: $ids) {{ ... on Order {{ {_ORDER} }} }}
}}""",
    cost=50,
    urgent=True,
)

ORDER_LINES = Operation(
    "SyncdOrderLines",
    f"""query SyncdOrderLines($ids: [ID!]!, $after: String) {{
  nodes(ids: $ids) {{
    ... on Order {{ id updatedAt lineItems(first: 250, after: $after) {{ {_PAGE_INFO} nodes {{ {_LINE} }} }} }}
  }}
}}""",
    cost=50,
    urgent=True,
)

ORDER_REFUNDS = Operation(
    "SyncdOrderRefunds",
    f"""query SyncdOrderRefunds($ids: [ID!]!) {{
  nodes(ids: $ids) {{
    ... on Order {{
      id updatedAt
      refunds(first: {MOST_REFUNDS}) {{
        id createdAt
        refundLineItems(first: 100) {{ {_PAGE_INFO} nodes {{ {_REFUND_LINE} }} }}
      }}
    }}
  }}
}}""",
    cost=50,
    urgent=True,
)

ORDER_FULFILLMENTS = Operation(
    "SyncdOrderFulfillments",
    f"""query SyncdOrderFulfillments($ids: [ID!]!) {{
  nodes(ids: $ids) {{
    ... on Order {{ id updatedAt fulfillments(first: {MOST_FULFILLMENTS}) {{ {_FULFILLMENT} }} }}
  }}
}}""",
    cost=10,
    urgent=True,
)

REFUND_LINES = Operation(
    "SyncdRefundLines",
    f"""query SyncdRefundLines($ids: [ID!]!, $after: String) {{
  nodes(ids: $ids) {{
    ... on Refund {{ id refundLineItems(first: 250, after: $after) {{ {_PAGE_INFO} nodes {{ {_REFUND_LINE} }} }} }}
  }}
}}""",
    cost=50,
    urgent=True,
)

VARIANTS = Operation(
    "SyncdVariants",
    f"""query SyncdVariants($first: Int!, $after: String, $query: String, $location: ID!) {{
  productVariants(first: $first, after: $after, query: $query, sortKey: ID) {{
    {_PAGE_INFO}
    nodes {{
      id sku barcode displayName inventoryPolicy requiresComponents
      inventoryItem {{
        id tracked
        inventoryLevel(locationId: $location, includeInactive: true) {{
          isActive quantities(names: ["available"]) {{ name quantity }}
        }}
      }}
    }}
  }}
}}""",
    cost=60,
)

LEVELS = Operation(
    "SyncdLevels",
    """query SyncdLevels($ids: [ID!]!, $location: ID!) {
  nodes(ids: $ids) {
    ... on InventoryItem {
      id tracked
      inventoryLevel(locationId: $location, includeInactive: true) {
        isActive quantities(names: ["available"]) { name quantity }
      }
    }
  }
}""",
    cost=15,
)

INSTALL = Operation(
    "SyncdInstall",
    """query SyncdInstall {
  currentAppInstallation { id accessScopes { handle } }
  publicApiVersions { handle supported displayName }
  shop { id myshopifyDomain ianaTimezone }
}""",
    cost=10,
    urgent=True,
)

LOCATIONS = Operation(
    "SyncdLocations",
    f"""query SyncdLocations($first: Int!, $after: String) {{
  locations(first: $first, after: $after, includeInactive: true, includeLegacy: true) {{
    {_PAGE_INFO}
    nodes {{ id name isActive fulfillsOnlineOrders fulfillmentService {{ inventoryManagement }} }}
  }}
}}""",
    cost=30,
    urgent=True,
)

# The @idempotent directive is required at run time since 2026-04.
SET_QUANTITIES = Operation(
    "SyncdSetQuantities",
    """mutation SyncdSetQuantities($input: InventorySetQuantitiesInput!, $key: String!) {
  inventorySetQuantities(input: $input) @idempotent(key: $key) {
    inventoryAdjustmentGroup {
      id createdAt reason referenceDocumentUri
      changes { name delta quantityAfterChange item { id } location { id } }
    }
    userErrors { field message code }
  }
}""",
    cost=15,
    effect=True,
)

HOOKS = Operation(
    "SyncdHooks",
    f"""query SyncdHooks($first: Int!, $after: String) {{
  webhookSubscriptions(first: $first, after: $after) {{
    {_PAGE_INFO}
    nodes {{ id topic uri format }}
  }}
}}""",
    cost=30,
)

CREATE_HOOK = Operation(
    "SyncdHook",
    """mutation SyncdHook($topic: WebhookSubscriptionTopic!, $sub: WebhookSubscriptionInput!) {
  webhookSubscriptionCreate(topic: $topic, webhookSubscription: $sub) {
    webhookSubscription { id topic uri format }
    userErrors { field message }
  }
}""",
    cost=10,
    effect=True,
)

ALL = (
    ORDERS,
    ORDERS_BY_ID,
    ORDER_LINES,
    ORDER_REFUNDS,
    ORDER_FULFILLMENTS,
    REFUND_LINES,
    VARIANTS,
    LEVELS,
    INSTALL,
    LOCATIONS,
    SET_QUANTITIES,
    HOOKS,
    CREATE_HOOK,
)
