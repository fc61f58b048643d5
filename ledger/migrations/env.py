"""Alembic's entry: runs on the connection that ``ledger.database`` holds, in its transaction."""

from alembic import context

from ledger.tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
context.run_migrations()
