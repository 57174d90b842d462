"""Event source mappings: what polls a source and invokes a function with what it finds, in batches."""
