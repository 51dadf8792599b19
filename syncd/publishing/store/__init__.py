"""Publishing in the database. Every function checks the account's fencing token first: one writer an account (C1)."""
