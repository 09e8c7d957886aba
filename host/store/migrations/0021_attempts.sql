-- A row of `runs` is one attempt of a run that was asked for. NULL for runs of `sluice run`, which keeps no queue.

ALTER TABLE runs ADD COLUMN request TEXT;

ALTER TABLE runs ADD COLUMN attempt BIGINT;

CREATE INDEX runs_by_request ON runs (tenant, request, attempt);
