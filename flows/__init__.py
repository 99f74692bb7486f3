"""The pure core: protocol, dialogue, eligibility, plan and slots. No I/O, clock, chance or async."""
