"""What can be asked, declared once: dimensions, measures, metrics."""
