"""Environments that are processes of their own, on real time."""
