"""From the outbox to the lake: relay, consumer, the files of the lake, and the count that proves them whole.

Knows Kafka, HDFS and Parquet; knows no SQL and no HTTP. What it needs of a ledger stands in ``inspection.outbox``.
"""
