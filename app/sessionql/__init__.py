"""The questions: plans, and how they are evaluated."""
