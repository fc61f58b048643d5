"""Counts event ids in the lake's Parquet files: ``count.py ID...``. Uses none of the product's code, on purpose."""

import io
import os
import sys
from collections import Counter
from pathlib import Path
from urllib.parse import urlparse

import pyarrow.parquet as pq


def files():
    """Every file's bytes or path: a local lake, or HDFS through WebHDFS."""
    data = os.environ.get("CASTING_DATA_DIR", "var")
    lake = os.environ.get("CASTING_LAKE") or f"{data}/lake"
    if not lake.startswith("hdfs://"):
        yield from Path(lake).glob("date=*/*.parquet")
        return
    from hdfs import InsecureClient

    user = os.environ.get("HADOOP_USER_NAME", "casting")
    client = InsecureClient(os.environ.get("CASTING_WEBHDFS", "http://namenode:9870"), user=user)
    root = urlparse(lake).path
    for day in client.list(root):
        if day.startswith("date="):
            for name in client.list(f"{root}/{day}"):
                if name.endswith(".parquet"):
                    with client.read(f"{root}/{day}/{name}") as file:
                        yield io.BytesIO(file.read())


stored = Counter()
count = 0
for file in files():
    count += 1
    stored.update(pq.read_table(file, columns=["event_id"]).column("event_id").to_pylist())
asked = sys.argv[1:]
missing = sum(stored[one] == 0 for one in asked)
doubled = sum(stored[one] > 1 for one in asked)
print(f"   asked {len(asked)} missing {missing} doubled {doubled} in {count} files with {sum(stored.values())} events")
