"""What Locum keeps: SQLite and PostgreSQL behind one small interface."""
