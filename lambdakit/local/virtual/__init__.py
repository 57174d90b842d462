"""Environments in this process, on virtual time."""
