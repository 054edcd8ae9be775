"""Keep every row on SQLite or PostgreSQL; the only room that commits to a database."""
