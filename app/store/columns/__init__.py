"""Sessions by column, so that a question about a few of their fields reads only those.

A *row group* holds the sessions of an hour or a day in the order of their start, and
what is theirs (their other users, the minutes in which they were active); a *column
chunk* is one of its columns, compressed. The words are Parquet's. Row groups are derived
from the tables and made anew whenever a session of their hour changes; until then that
hour is read from the tables, and the answer is the same.
"""
