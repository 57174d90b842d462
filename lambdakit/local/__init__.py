"""The Lambda service on this machine. Nothing that runs in Lambda imports it."""
