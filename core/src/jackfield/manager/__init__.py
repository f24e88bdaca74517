"""Many providers as one: named instances, and what stands between them and a program."""
