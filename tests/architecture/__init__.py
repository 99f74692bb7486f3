"""Rules about the house itself: what modules may look like and what they may import."""
