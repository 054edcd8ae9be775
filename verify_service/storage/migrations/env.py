"""Run migrations on the connection that `storage.schema.upgrade` hands over."""

from alembic import context

from verify_service.storage import registry_tables  # noqa: F401 - It registers its tables.
from verify_service.storage.tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
with context.begin_transaction():
    context.run_migrations()
