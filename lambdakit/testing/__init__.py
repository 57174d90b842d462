"""What tests of Lambda functions need: builders of realistic events, and the pytest plugin.

Nothing here is loaded where a function runs in Lambda.
"""
