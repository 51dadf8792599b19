"""Senders: one file a chat service, each with the service's markup, limits and ways to fail."""
