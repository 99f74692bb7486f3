"""The console: the clinic's own pages, for those who signed in."""
