"""Sources at real endpoints, of AWS or of what answers like it: mappings poll them through boto3, on real time."""
