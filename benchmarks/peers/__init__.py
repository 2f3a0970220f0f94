"""Other libraries doing the same work. Nothing here is imported before a workload wants it."""
