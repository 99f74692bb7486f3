"""The staff's side: clinic files, leads and, later, the console and calendar feeds."""
