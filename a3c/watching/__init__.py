"""One game of a finished run as a film: recorded first, then drawn on scales that hold for all of it, then encoded."""
