"""The database: tables, engines, `transact`, row locks and leases. SQLite and PostgreSQL from the same code."""
