"""HTTP and the page. Knows no Ray, no Kafka, no SQL: what it needs comes in by the protocols of ``app.ports``."""
