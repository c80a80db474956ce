"""Keep and answer: the seam, and one engine behind it."""
