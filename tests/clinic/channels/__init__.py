"""Tests of what goes to the clinic's own systems."""
