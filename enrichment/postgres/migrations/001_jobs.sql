-- Times are seconds since the epoch, UTC, by the clocks of the processes that write them.

-- Enrichments have a number, lookups have none. `document` is the job as JSON, without its steps; the columns beside it
-- are what statements look for, or change while the job is unfinished. `steps` are those of a finished job, compressed.
-- `queue_id` is the entry in the queue; a job without one is held back by the concurrency of its batch until another
-- of its jobs has `left` its place. `deaths` counts runs that ended with their process, the last of them `lost_run`.
CREATE SEQUENCE enrichment_numbers;
CREATE TABLE enrichment_jobs (
    id text PRIMARY KEY,
    number bigint,
    domain text NOT NULL,
    state text NOT NULL,
    batch_id text,
    created_at double precision NOT NULL,
    started_at double precision,
    finished_at double precision,
    run integer NOT NULL DEFAULT 0,
    deaths integer NOT NULL DEFAULT 0,
    lost_run integer NOT NULL DEFAULT 0,
    queue_id bigint,
    has_left boolean NOT NULL DEFAULT false,
    size integer NOT NULL DEFAULT 0,
    document json NOT NULL,
    charges json,
    steps bytea
);
CREATE UNIQUE INDEX enrichment_jobs_by_number ON enrichment_jobs (number DESC) INCLUDE (finished_at)
    WHERE number IS NOT NULL;
CREATE INDEX enrichment_jobs_by_domain ON enrichment_jobs (domain, number DESC) INCLUDE (state, finished_at)
    WHERE number IS NOT NULL;
CREATE INDEX enrichment_jobs_by_state ON enrichment_jobs (state, number DESC) INCLUDE (finished_at)
    WHERE number IS NOT NULL;
CREATE INDEX enrichment_jobs_by_end ON enrichment_jobs (finished_at) WHERE finished_at IS NOT NULL;
CREATE INDEX enrichment_jobs_of_batch ON enrichment_jobs (batch_id) WHERE batch_id IS NOT NULL;
CREATE INDEX enrichment_jobs_unfinished ON enrichment_jobs (id) WHERE finished_at IS NULL;
CREATE INDEX enrichment_jobs_admitted ON enrichment_jobs (batch_id)
    WHERE batch_id IS NOT NULL AND queue_id IS NOT NULL AND NOT has_left;
CREATE INDEX enrichment_jobs_held_back ON enrichment_jobs (batch_id, number)
    WHERE batch_id IS NOT NULL AND queue_id IS NULL AND finished_at IS NULL;
ALTER TABLE enrichment_jobs ALTER COLUMN steps SET STORAGE EXTERNAL;

-- The steps of unfinished jobs that have begun; `step` is without its finding.
CREATE TABLE enrichment_steps (
    job_id text NOT NULL REFERENCES enrichment_jobs ON DELETE CASCADE,
    module_id text NOT NULL,
    has_ended boolean NOT NULL,
    step json NOT NULL,
    finding bytea,
    PRIMARY KEY (job_id, module_id)
);

-- `profile` is that of all jobs of the batch, whose own documents are without it.
CREATE TABLE enrichment_batches (
    id text PRIMARY KEY,
    concurrency integer NOT NULL,
    document json NOT NULL,
    profile text,
    charges json
);

-- How many jobs there are in a state, as the sum of all its rows; unfinished and finished lookups, and the bytes of
-- finished jobs, are counted as well. Each change adds rows, so that none waits for another; now and then they are
-- summed up.
CREATE TABLE enrichment_counts (
    what text NOT NULL,
    amount bigint NOT NULL
);

-- The newest finding for each domain and key, the latter for a module and perhaps a profile; and by whom, and until when,
-- the sources are being asked for one. `number` tells which of several was kept last.
CREATE SEQUENCE enrichment_finding_numbers;
CREATE TABLE enrichment_findings (
    domain text NOT NULL,
    key text NOT NULL,
    number bigint,
    finding bytea,
    origin json,
    size integer NOT NULL DEFAULT 0,
    fetched_at double precision,
    expires_at double precision,
    used_at double precision,
    caller text,
    called_until timestamptz,
    PRIMARY KEY (domain, key)
);
CREATE INDEX enrichment_findings_by_use ON enrichment_findings (used_at) WHERE finding IS NOT NULL;

CREATE TABLE enrichment_blueprints (
    digest bytea PRIMARY KEY,
    id text NOT NULL UNIQUE,
    content bytea NOT NULL,
    made_at double precision NOT NULL
);
CREATE INDEX enrichment_blueprints_by_age ON enrichment_blueprints (made_at);

-- What is known of an outside service, or of a part of it, such as a website, and when the next call may be made.
CREATE TABLE enrichment_sources (
    name text NOT NULL,
    part text NOT NULL,
    next_at double precision NOT NULL DEFAULT 0,
    state text NOT NULL DEFAULT 'ok',
    until double precision NOT NULL DEFAULT 0,
    failures integer NOT NULL DEFAULT 0,
    refusals integer NOT NULL DEFAULT 0,
    open_seconds double precision NOT NULL DEFAULT 30,
    PRIMARY KEY (name, part)
);
