-- Of staff who began a conversation and did nothing else since: the opaque id that is shown for them, which
-- was not kept.
INSERT INTO people (org, sub, person, name)
SELECT org, json_extract(body_team, '$.by.sub'), json_extract(body_team, '$.by.id'), json_extract(body_team, '$.by.name')
FROM log
WHERE kind = 'thread' AND json_extract(body_team, '$.event') = 'contact'
  AND json_extract(body_team, '$.by.sub') IS NOT NULL
ORDER BY rev DESC
ON CONFLICT DO NOTHING;
