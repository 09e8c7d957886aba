-- The trace that a run belongs to, as W3C's `traceparent`: whichever host goes on with the run goes on with its trace.

ALTER TABLE run_requests ADD COLUMN traceparent TEXT;
