"""What the vendors' sandboxes do alike. It knows no vendor, and nothing of what the adapters make of one."""
