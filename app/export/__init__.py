"""Hand recorded values on: to who scrapes them, and to who wants them written."""
