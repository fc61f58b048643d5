"""The ledger: every answered inspection, numbered and committed before its answer is sent.

SQLAlchemy Core over SQLite (one machine) or PostgreSQL (several). Knows SQL; knows no HTTP, no Kafka, no Parquet.
"""

from ledger.ledger import Ledger

__all__ = ["Ledger"]
