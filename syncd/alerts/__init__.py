"""Alerts: opened and closed in the transaction that causes them."""
