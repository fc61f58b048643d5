"""Composition: the only package that knows all others. One composition root a process."""
