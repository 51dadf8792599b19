"""The checker: what really happened, as the sandboxes know it, against what the daemon has in its database."""
