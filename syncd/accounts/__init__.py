"""Accounts and warehouses: how the configuration enters the database, and how an account goes live."""
