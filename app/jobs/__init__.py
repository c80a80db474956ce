"""When things happen: schedule, index, retention."""
