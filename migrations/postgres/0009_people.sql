-- Of staff who began a conversation and did nothing else since: the opaque id that is shown for them, which
-- was not kept.
INSERT INTO people (org, sub, person, name)
SELECT org, body #>> '{by,sub}', body #>> '{by,id}', body #>> '{by,name}'
FROM (SELECT org, rev, body_team::json AS body FROM log WHERE kind = 'thread') l
WHERE body ->> 'event' = 'contact' AND body #>> '{by,sub}' IS NOT NULL
ORDER BY rev DESC
ON CONFLICT DO NOTHING;
