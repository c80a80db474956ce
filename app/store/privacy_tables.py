"""The tables of what people ask about their data: requests, and what each has found.

``person`` holds whom a request is about, as JSON; of an erasure it is emptied before the
file is scrubbed. ``privacy_found`` holds hashes of sessions, or of strands that wait for
theirs. ``erased`` holds
marks (see ``erased``). ``privacy_unscrubbed`` has a row as long as the file may hold remains of rows that
were deleted before SQLite was told to overwrite what it deletes.
"""

TABLES = """
create table privacy_requests (
  id text primary key,
  tenant text not null,
  kind text not null,
  person text not null,
  is_dry integer not null,
  state text not null,
  phase integer not null default 0,
  progress real not null default 0,
  sessions integer not null default 0,
  events integer not null default 0,
  created integer not null,
  finished integer not null default 0,
  error text not null default '',
  owner text not null default '',
  until integer not null default 0
) without rowid;
create table privacy_found (
  request text not null,
  start integer not null,
  hash integer not null,
  events integer not null,
  primary key (request, start, hash)
) without rowid;
create unique index privacy_found_hash on privacy_found (request, hash);
create table privacy_unscrubbed (since integer not null);
create table erased_key (key blob not null);
create table erased (
  mark integer primary key,
  before integer not null
)
"""
