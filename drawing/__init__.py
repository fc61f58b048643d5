"""Drawn castings: pictures that the project owns, for tests, samples and documents. Knows nothing of the product."""
