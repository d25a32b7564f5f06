"""How it went over time: counts of what ended, and samples of what is measured, by minute and by hour."""
