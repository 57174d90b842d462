"""Sources of events, as local resources: what a test fills, and what a mapping polls."""
