"""Front doors: what stands between HTTP and a function, each with its own events, answers and limits."""
