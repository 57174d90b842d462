"""The functions that are compared: the same work, written three ways."""
