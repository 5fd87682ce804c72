-- A contact's name as it is looked for; null of one that was stored before.
ALTER TABLE contacts ADD COLUMN folded TEXT;
