DROP VIEW IF EXISTS incident_bands_of_signatures SYNC;

DROP TABLE IF EXISTS incident_bands SYNC;

DROP TABLE IF EXISTS incident_signatures SYNC;
