"""What stands in `infinity` is a stranger's: its tests run where its package is installed."""

collect_ignore = ["infinity"]
