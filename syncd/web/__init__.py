"""The daemon's face over HTTP: webhooks in, and its state out as a page, JSON and metrics."""
