"""Check and hand over what is kept, across the log, the registry and the read models."""
