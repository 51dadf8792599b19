"""Alembic's entry: runs on the connection that `syncd.db.migrate` hands over."""

from __future__ import annotations

from alembic import context

from syncd.db.tables import metadata

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=metadata,
    render_as_batch=connection.dialect.name == "sqlite",
    transactional_ddl=True,
    transaction_per_migration=connection.dialect.name == "postgresql",  # which makes large indexes outside of any
)
with context.begin_transaction():
    context.run_migrations()
