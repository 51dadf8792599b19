"""Fulfilment: goods leave a warehouse."""
