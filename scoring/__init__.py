"""Offline scoring: archives of any size to the same verdicts as online, by Ray Data.

Knows Ray Data, archives and Parquet; knows no HTTP, no ledger, no Kafka.
"""
