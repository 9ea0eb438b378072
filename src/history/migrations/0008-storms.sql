CREATE TABLE IF NOT EXISTS storms
(
  row_id         String,
  partition      LowCardinality(String),
  position       UInt64,
  at             DateTime64(3, 'UTC'),
  domain         LowCardinality(String),
  storm_id       String,
  change         LowCardinality(String),
  started_at     DateTime64(3, 'UTC'),
  ended_at       Nullable(DateTime64(3, 'UTC')),
  window_ms      UInt64,
  peak_count     UInt64,
  usual_mean     Nullable(Float64),
  usual_variance Nullable(Float64),
  signal_count   UInt64,
  incident_count UInt64,
  covered_count  UInt64,
  families       Array(Tuple(kind String, root_id String, severity String, signal_count UInt64, service_count UInt64, services Array(String), text String)),
  other_count    UInt64,
  reasons        Array(Tuple(stage String, code String, text String, weight Nullable(Float64)))
)
ENGINE = ReplacingMergeTree
PARTITION BY toYYYYMM(at)
ORDER BY (domain, at, storm_id, partition, row_id)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;

CREATE TABLE IF NOT EXISTS covers
(
  row_id      String,
  partition   LowCardinality(String),
  position    UInt64,
  at          DateTime64(3, 'UTC'),
  storm_id    String,
  incident_id String,
  root_id     String,
  reasons     Array(Tuple(stage String, code String, text String, weight Nullable(Float64))),
  INDEX incident_index incident_id TYPE bloom_filter GRANULARITY 1
)
ENGINE = ReplacingMergeTree
PARTITION BY toYYYYMM(at)
ORDER BY (partition, storm_id, at, incident_id, row_id)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;
