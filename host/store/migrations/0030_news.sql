-- Runs that ended and of which nobody was told yet. Set in the statement that ends the run, so that no crash lies in between.

ALTER TABLE run_requests ADD COLUMN news_us BIGINT;

CREATE INDEX run_requests_news ON run_requests (news_us) WHERE news_us IS NOT NULL;

-- How the run before ended.
CREATE INDEX run_requests_ended ON run_requests (tenant, pipeline, ended_us) WHERE state IN ('succeeded', 'failed');
