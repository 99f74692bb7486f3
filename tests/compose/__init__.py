"""The compose file as it stands, brought up with two bots, disturbed, examined and taken down.

`make compose-test` runs it. It needs Docker, so `make test` does not.
"""
