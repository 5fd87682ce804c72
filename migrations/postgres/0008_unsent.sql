-- How much somebody has uploaded and not sent is bounded.
CREATE INDEX photos_uploader ON photos (org, uploader) WHERE state <> 'sent';
