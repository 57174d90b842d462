"""What events come from: local resources that behave as AWS's do, on the service's clock."""
