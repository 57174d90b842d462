"""The triggers, one module each: what the decorator takes, which records it matches, how its batches are answered."""
