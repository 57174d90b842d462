"""What every test runs under."""

from hypothesis import settings

# Read by type checkers, never imported: half of it is wrong on purpose.
collect_ignore_glob = ["typing/*"]

# A slow machine is no failure, and a failure found once is found again.
settings.register_profile("lambdakit", deadline=None, derandomize=True)
settings.load_profile("lambdakit")
