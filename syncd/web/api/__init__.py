"""The reading API under /api/v1: stock, orders, listings and decisions, page by page, for whoever holds the token."""

from syncd.web.api.routes import api_routes

__all__ = ["api_routes"]
