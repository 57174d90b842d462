"""What lambdakit costs, beside hand-written Pydantic and Powertools for AWS Lambda."""
