"""What one worker process knows of itself: what it has in hand, how much memory it uses, whether it is stopping."""
