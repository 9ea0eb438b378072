CREATE TABLE IF NOT EXISTS pages
(
  row_id       String,
  partition    LowCardinality(String),
  position     UInt64,
  at           DateTime64(3, 'UTC'),
  domain       LowCardinality(String),
  page_id      String,
  receiver     LowCardinality(String),
  group_key    String,
  incident_id  String,
  status       LowCardinality(String),
  reason       LowCardinality(String),
  fingerprints Array(String),
  INDEX incident_index incident_id TYPE bloom_filter GRANULARITY 1,
  INDEX fingerprint_index fingerprints TYPE bloom_filter GRANULARITY 1
)
ENGINE = ReplacingMergeTree
PARTITION BY toYYYYMM(at)
ORDER BY (domain, at, receiver, page_id, partition, row_id)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;

CREATE TABLE IF NOT EXISTS deliveries
(
  row_id     String,
  partition  LowCardinality(String),
  position   UInt64,
  at         DateTime64(3, 'UTC'),
  domain     LowCardinality(String),
  page_id    String,
  receiver   LowCardinality(String),
  status     LowCardinality(String),
  code       LowCardinality(String),
  message    String,
  sent_at    DateTime64(3, 'UTC'),
  latency_ms Float64,
  INDEX page_index page_id TYPE bloom_filter GRANULARITY 1
)
ENGINE = ReplacingMergeTree
PARTITION BY toYYYYMM(at)
ORDER BY (domain, at, receiver, page_id, partition, row_id)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;

CREATE TABLE IF NOT EXISTS audit
(
  row_id        String,
  partition     LowCardinality(String),
  position      UInt64,
  at            DateTime64(3, 'UTC'),
  sequence      UInt64,
  kind          LowCardinality(String),
  actor         String,
  action        LowCardinality(String),
  subject       String,
  body          String,
  outcome       LowCardinality(String),
  code          LowCardinality(String),
  message       String,
  previous_hash String,
  hash          String
)
ENGINE = ReplacingMergeTree
PARTITION BY toYYYYMM(at)
ORDER BY (partition, sequence, at, row_id)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;
