"""Figures about the business: running totals and measured lag."""
