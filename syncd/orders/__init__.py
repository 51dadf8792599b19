"""Orders: the inbox they come in by, their application as states, their reservations and shortages."""
