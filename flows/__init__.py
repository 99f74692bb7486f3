"""The pure core: protocol, dialogue, eligibility, plan, slots. No I/O, clock, chance, async."""
