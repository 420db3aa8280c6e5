"""What happens when an app runs: the walk over its steps, its events, and who hears of them."""
