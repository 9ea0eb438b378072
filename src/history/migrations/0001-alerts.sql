CREATE TABLE IF NOT EXISTS alerts
(
  row_id          String,
  partition       LowCardinality(String),
  position        UInt64,
  at              DateTime64(3, 'UTC'),
  domain          LowCardinality(String),
  fingerprint     String,
  change          LowCardinality(String),
  count           UInt64,
  first_at        DateTime64(3, 'UTC'),
  last_at         DateTime64(3, 'UTC'),
  starts_at       DateTime64(3, 'UTC'),
  ends_at         DateTime64(3, 'UTC'),
  ends_by_timeout Bool,
  alertname       LowCardinality(String),
  service         LowCardinality(String),
  severity        LowCardinality(String),
  labels          Map(LowCardinality(String), String),
  annotations     Map(LowCardinality(String), String),
  generator_url   String,
  source          LowCardinality(String),
  signal_id       String,
  how             LowCardinality(String),
  similarity      Float32,
  INDEX fingerprint_index fingerprint TYPE bloom_filter GRANULARITY 1,
  INDEX signal_index signal_id TYPE bloom_filter GRANULARITY 1
)
ENGINE = ReplacingMergeTree
PARTITION BY toYYYYMM(at)
ORDER BY (domain, toStartOfHour(at), service, fingerprint, at, partition, row_id)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;

CREATE TABLE IF NOT EXISTS verdicts
(
  row_id       String,
  partition    LowCardinality(String),
  position     UInt64,
  at           DateTime64(3, 'UTC'),
  fingerprint  String,
  is_muted     Bool,
  silenced_by  Array(String),
  inhibited_by Array(String)
)
ENGINE = ReplacingMergeTree
PARTITION BY toYYYYMM(at)
ORDER BY (fingerprint, at, partition, row_id)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;

CREATE TABLE IF NOT EXISTS signals
(
  row_id            String,
  partition         LowCardinality(String),
  position          UInt64,
  at                DateTime64(3, 'UTC'),
  domain            LowCardinality(String),
  signal_id         String,
  change            LowCardinality(String),
  state             LowCardinality(String),
  severity          LowCardinality(String),
  alertname         LowCardinality(String),
  service           LowCardinality(String),
  labels            Map(LowCardinality(String), String),
  text              String,
  template          String,
  first_at          DateTime64(3, 'UTC'),
  last_at           DateTime64(3, 'UTC'),
  resolved_at       Nullable(DateTime64(3, 'UTC')),
  alert_count       UInt64,
  fingerprint_count UInt32,
  firing_count      UInt32,
  surprise          Nullable(Float64),
  surprise_state    LowCardinality(String),
  reasons           Array(Tuple(stage LowCardinality(String), code LowCardinality(String), text String, weight Nullable(Float64))),
  INDEX time_index at TYPE minmax GRANULARITY 1
)
ENGINE = ReplacingMergeTree
PARTITION BY toYYYYMM(at)
ORDER BY (domain, signal_id, at, partition, row_id)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;
