"""Plugins written for the first version of Jackfield's contract."""
