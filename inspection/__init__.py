"""The inspection rules alone: from the bytes of a picture to a verdict, and the event that records it.

Knows pictures, models and events; knows no HTTP, no Ray, no SQL, no Kafka, no files beyond a model bundle.
"""
