CREATE TABLE IF NOT EXISTS incidents
(
  row_id          String,
  partition       LowCardinality(String),
  position        UInt64,
  at              DateTime64(3, 'UTC'),
  domain          LowCardinality(String),
  incident_id     String,
  revision        UInt32,
  state           LowCardinality(String),
  title           String,
  severity        LowCardinality(String),
  priority        LowCardinality(String),
  confidence      Float64,
  category        LowCardinality(String),
  services        Array(String),
  signal_count    UInt32,
  alert_count     UInt64,
  probable_causes Array(Tuple(signal_id String, text String, score Float64)),
  reasons         Array(Tuple(stage LowCardinality(String), code LowCardinality(String), text String, weight Nullable(Float64))),
  opened_at       DateTime64(3, 'UTC'),
  resolved_at     Nullable(DateTime64(3, 'UTC')),
  acknowledged_by String,
  acknowledged_at Nullable(DateTime64(3, 'UTC')),
  merged_into     String,
  surprise        Nullable(Float64),
  similar         Array(Tuple(incident_id String, title String, similarity Float64)),
  history_missing Bool,
  INDEX time_index at TYPE minmax GRANULARITY 1
)
ENGINE = ReplacingMergeTree
PARTITION BY toYYYYMM(opened_at)
ORDER BY (domain, incident_id, revision, partition, row_id)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;

CREATE TABLE IF NOT EXISTS memberships
(
  row_id      String,
  partition   LowCardinality(String),
  position    UInt64,
  at          DateTime64(3, 'UTC'),
  domain      LowCardinality(String),
  incident_id String,
  signal_id   String,
  change      LowCardinality(String),
  cause       LowCardinality(String),
  INDEX signal_index signal_id TYPE bloom_filter GRANULARITY 1
)
ENGINE = ReplacingMergeTree
PARTITION BY toYYYYMM(at)
ORDER BY (domain, incident_id, signal_id, at, partition, row_id)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;

CREATE TABLE IF NOT EXISTS links
(
  row_id         String,
  partition      LowCardinality(String),
  position       UInt64,
  at             DateTime64(3, 'UTC'),
  domain         LowCardinality(String),
  incident_id    String,
  from_signal_id String,
  to_signal_id   String,
  weight         Float64,
  reasons        Array(Tuple(stage LowCardinality(String), code LowCardinality(String), text String, weight Nullable(Float64)))
)
ENGINE = ReplacingMergeTree
PARTITION BY toYYYYMM(at)
ORDER BY (domain, incident_id, from_signal_id, to_signal_id, at, partition, row_id)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;
