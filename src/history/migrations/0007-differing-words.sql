ALTER TABLE alerts ADD COLUMN IF NOT EXISTS differing String AFTER similarity;
