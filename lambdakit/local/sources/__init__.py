"""What sends events to the functions of the local Lambda: buckets, topics, buses, schedules."""
