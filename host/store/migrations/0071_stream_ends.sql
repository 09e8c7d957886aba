-- What was loaded on the last days: all of the answer is in the index.

CREATE INDEX run_streams_by_end ON run_streams (tenant, ended_us, rows_committed, bytes_read);
