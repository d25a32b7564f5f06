"""Looking after the rows themselves: what is old goes, what contradicts itself is found."""
