"""The tables of rules: what they recorded, how they fare, which alerts are active.

A sample without a value says that its series ended: a stale marker. ``changed`` numbers
the changes of samples in the order in which they were committed, so that whoever sends
them on can go on where it stopped, corrections included.
"""

TABLES = """
create table recorded_series (
  id integer primary key,
  tenant text not null,
  name text not null,
  labels text not null,
  rule text not null,
  step integer not null,
  unique (tenant, name, labels)
);
create index recorded_series_rule on recorded_series (tenant, rule);
create table recorded_samples (
  series integer not null,
  at integer not null,
  value real,
  changed integer not null,
  primary key (series, at)
) without rowid;
create index recorded_samples_changed on recorded_samples (changed);
create table rule_groups (
  tenant text not null,
  key text not null,
  slot integer not null default 0,
  first integer not null default 0,
  covered integer not null default 0,
  evaluated integer not null default 0,
  took_ms real not null default 0,
  iterations integer not null default 0,
  missed integer not null default 0,
  made_up integer not null default 0,
  corrected integer not null default 0,
  samples integer not null default 0,
  primary key (tenant, key)
) without rowid;
create table rule_states (
  tenant text not null,
  key text not null,
  group_key text not null,
  error text not null,
  evaluated integer not null,
  took_ms real not null,
  samples integer not null,
  evaluations integer not null,
  failures integer not null,
  primary key (tenant, key)
) without rowid;
create table rule_alerts (
  tenant text not null,
  rule text not null,
  labels text not null,
  annotations text not null,
  state text not null,
  value real not null,
  active_at integer not null,
  fired_at integer not null,
  resolved_at integer not null,
  sent_at integer not null,
  keep_since integer not null,
  primary key (tenant, rule, labels)
) without rowid;
create table rule_dirt (
  tenant text not null,
  since integer not null,
  until integer not null,
  seen integer not null,
  primary key (tenant, since)
) without rowid;
create table rule_marks (
  tenant text not null,
  name text not null,
  value integer not null,
  text text not null default '',
  primary key (tenant, name)
) without rowid
"""
