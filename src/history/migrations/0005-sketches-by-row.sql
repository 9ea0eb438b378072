CREATE TABLE IF NOT EXISTS incident_sketches
(
  row_id      String,
  partition   LowCardinality(String),
  position    UInt64,
  at          DateTime64(3, 'UTC'),
  domain      LowCardinality(String),
  incident_id String,
  signal_id   String,
  opened_at   DateTime64(3, 'UTC'),
  template    String,
  alertname   LowCardinality(String),
  labels      Array(String),
  signature   Array(UInt32),
  bands       Array(UInt64)
)
ENGINE = ReplacingMergeTree
PARTITION BY toYYYYMM(opened_at)
ORDER BY (domain, incident_id, signal_id, partition, row_id)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;

CREATE TABLE IF NOT EXISTS sketch_bands
(
  row_id      String,
  partition   LowCardinality(String),
  position    UInt64,
  at          DateTime64(3, 'UTC'),
  domain      LowCardinality(String),
  band        UInt64,
  incident_id String,
  opened_at   DateTime64(3, 'UTC')
)
ENGINE = ReplacingMergeTree
PARTITION BY toYYYYMM(opened_at)
ORDER BY (domain, band, incident_id, partition, row_id)
SETTINGS index_granularity = 512, fsync_after_insert = 1, fsync_part_directory = 1;

CREATE MATERIALIZED VIEW IF NOT EXISTS sketch_bands_of_sketches TO sketch_bands AS
SELECT
  row_id,
  partition,
  position,
  at,
  domain,
  arrayJoin(bands) AS band,
  incident_id,
  opened_at
FROM incident_sketches;

INSERT INTO incident_sketches SELECT * FROM incident_signatures;
