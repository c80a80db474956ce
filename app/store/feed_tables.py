"""The tables of receivers: how far each has been told, and what it still has to be."""

TABLES = """
create table receivers (
  id integer primary key,
  tenant text not null,
  name text not null,
  since integer not null,
  known integer not null,
  changed integer not null,
  series integer not null,
  at integer not null,
  newest integer not null default 0,
  sent integer not null default 0,
  refused integer not null default 0,
  late integer not null default 0,
  barred integer not null default 0,
  failures integer not null default 0,
  error text not null default '',
  unique (tenant, name)
);
create table receiver_series (
  receiver integer not null,
  series integer not null,
  reached integer not null,
  primary key (receiver, series)
) without rowid;
create table receiver_owed (
  receiver integer not null,
  series integer not null,
  at integer not null,
  primary key (receiver, series, at)
) without rowid
"""
