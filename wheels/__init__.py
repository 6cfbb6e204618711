"""Source distribution and wheel: built, checked, installed and run as their users do (`make wheel`)."""
