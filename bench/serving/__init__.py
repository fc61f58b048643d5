"""Serving beside its peers: the same network, the same decode, the same load. See ``__main__``."""
