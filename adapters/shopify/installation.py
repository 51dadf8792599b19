"""Who the shop says we are, and what stands in the way of working there."""

from __future__ import annotations

import msgspec

from adapters.contract import Identity, Rejected
from adapters.reading import shaped
from adapters.shopify.graphql import GraphqlClient
from adapters.shopify.operations import INSTALL, LOCATIONS
from adapters.shopify.settings import ShopifySettings

_TOLD = 10
SCOPES = ("read_orders", "read_products", "read_inventory", "write_inventory", "read_locations")
ALL_ORDERS = "read_all_orders"
_OLD_ORDERS_HIDDEN = (
    f"without {ALL_ORDERS} Shopify shows no order placed more than 60 days ago: old ones that are still open are never"
    " taken in, and an edit or a cancellation that comes later reaches us by webhook alone, and is lost where one is"
    f" missed; request {ALL_ORDERS} for the app in the Dev Dashboard, add it to the app's scopes and approve that in"
    " the shop"
)


class Handle(msgspec.Struct, frozen=True):
    handle: str


class ApiVersion(msgspec.Struct, frozen=True):
    handle: str
    supported: bool


class Installation(msgspec.Struct, frozen=True, rename="camel"):
    access_scopes: list[Handle]


class Shop(msgspec.Struct, frozen=True, rename="camel"):
    myshopify_domain: str


class InstallData(msgspec.Struct, frozen=True, rename="camel"):
    shop: Shop
    current_app_installation: Installation | None = None
    public_api_versions: list[ApiVersion] = []


class Service(msgspec.Struct, frozen=True, rename="camel"):
    inventory_management: bool = False


class LocationNode(msgspec.Struct, frozen=True, rename="camel"):
    id: str
    is_active: bool
    name: str = ""
    fulfillment_service: Service | None = None


async def identify(graphql: GraphqlClient, settings: ShopifySettings) -> Identity:
    """Ask the shop for its name, our scopes and the version it serves, and look at our location."""
    data = await graphql.execute(INSTALL, {}, InstallData, tolerant=True)
    installation = data.current_app_installation
    scopes = {scope.handle for scope in installation.access_scopes} if installation is not None else set()
    missing = tuple(scope for scope in SCOPES if not _granted(scope, scopes))
    warnings = list(_version_warnings(graphql, settings, data))
    if ALL_ORDERS not in scopes:
        warnings.append(_OLD_ORDERS_HIDDEN)
    wrongs: list[str] = []
    if "read_locations" not in missing:
        flaws, wrongs = await _look_at_location(graphql, settings.location)
        warnings += flaws
    return Identity(
        name=data.shop.myshopify_domain,
        scopes=tuple(sorted(scopes)),
        missing_scopes=missing,
        api_version=graphql.served_version,
        warnings=tuple(warnings),
        wrongs=tuple(wrongs),
    )


def _granted(scope: str, scopes: set[str]) -> bool:
    return scope in scopes or scope.replace("read_", "write_", 1) in scopes  # write_x implies read_x


def _version_warnings(graphql: GraphqlClient, settings: ShopifySettings, data: InstallData) -> list[str]:
    wanted, served = settings.api_version, graphql.served_version
    warnings = []
    if served is not None and served != wanted:
        warnings.append(f"the shop serves API version {served} instead of {wanted}")
    if any(version.handle == wanted and not version.supported for version in data.public_api_versions):
        warnings.append(f"API version {wanted} is no longer supported")
    if graphql.deprecated is not None:
        warnings.append(f"deprecated in use: {graphql.deprecated}")
    return warnings


async def _look_at_location(graphql: GraphqlClient, location: str) -> tuple[list[str], list[str]]:
    """What is odd about our location, and what keeps us from working there."""
    others: list[str] = []
    try:
        async for page in graphql.pages(LOCATIONS, "locations", {}, 250):
            for raw in page.nodes:
                node = shaped(raw, LocationNode)
                if node is None or node.id != location:
                    others += [f"{node.id} ({node.name})"] if node is not None and node.is_active else []
                    continue
                service = node.fulfillment_service
                warnings = [] if node.is_active else [f"{location} is not active"]
                if service is not None and service.inventory_management:
                    warnings.append(f"the quantities at {location} belong to its fulfillment service")
                return warnings, []
    except Rejected as err:
        return [f"the locations could not be read: {err}"], []
    known = ", ".join(others[:_TOLD]) or "none that is active"
    return [], [f"{location} is not a location of this shop; it has {known}"]
