"""Statistics as plain functions of arrays; each names its source, and knows no lake, no Spark and no page."""
