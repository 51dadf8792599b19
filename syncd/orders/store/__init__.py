"""Orders in the database: what is loaded before a decision, and what is recorded after it."""
