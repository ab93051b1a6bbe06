-- Runs belong to an account and a region, and are shown as images. Those
-- recorded before were the account's and the region's that a machine without
-- settings has.

CREATE TABLE new_build_number (
    account TEXT   NOT NULL,
    region  TEXT   NOT NULL,
    image   TEXT   NOT NULL,
    version TEXT   NOT NULL,
    last    BIGINT NOT NULL,
    PRIMARY KEY (account, region, image, version)
);
INSERT INTO new_build_number (account, region, image, version, last)
     SELECT '000000000000', 'local-1', image, version, last FROM build_number;
DROP TABLE build_number;
ALTER TABLE new_build_number RENAME TO build_number;

-- A table's constraints cannot be changed in place, and what refers to it must
-- be made anew with it.
CREATE TABLE new_run (
    id          TEXT   NOT NULL PRIMARY KEY,
    account     TEXT   NOT NULL,
    region      TEXT   NOT NULL,
    image       TEXT   NOT NULL,
    version     TEXT   NOT NULL,
    build       BIGINT NOT NULL,
    state       TEXT   NOT NULL,
    reason      TEXT   NOT NULL,
    project     TEXT   NOT NULL,
    recipe      TEXT   NOT NULL,
    work        TEXT   NOT NULL,
    owner_pid   BIGINT NOT NULL,
    owner_boot  TEXT   NOT NULL,
    owner_ticks BIGINT NOT NULL,
    started_at  BIGINT NOT NULL,
    ended_at    BIGINT,
    UNIQUE (account, region, image, version, build)
);
INSERT INTO new_run (id, account, region, image, version, build, state, reason, project, recipe,
                     work, owner_pid, owner_boot, owner_ticks, started_at, ended_at)
     SELECT id, '000000000000', 'local-1', image, version, build, state, reason, project, recipe,
            work, owner_pid, owner_boot, owner_ticks, started_at, ended_at
       FROM run;

CREATE TABLE new_step (
    run_id     TEXT   NOT NULL REFERENCES new_run (id),
    ordinal    BIGINT NOT NULL,
    workflow   TEXT   NOT NULL,
    action     TEXT   NOT NULL,
    label      TEXT   NOT NULL,
    state      TEXT   NOT NULL,
    message    TEXT   NOT NULL,
    started_at BIGINT NOT NULL,
    ended_at   BIGINT,
    PRIMARY KEY (run_id, ordinal)
);
INSERT INTO new_step (run_id, ordinal, workflow, action, label, state, message, started_at,
                      ended_at)
     SELECT run_id, ordinal, workflow, action, label, state, message, started_at, ended_at
       FROM step;

CREATE TABLE new_artefact (
    run_id  TEXT   NOT NULL PRIMARY KEY REFERENCES new_run (id),
    digest  TEXT   NOT NULL,
    size    BIGINT NOT NULL,
    tests   TEXT   NOT NULL,
    made_at BIGINT NOT NULL
);
INSERT INTO new_artefact (run_id, digest, size, tests, made_at)
     SELECT run_id, digest, size, tests, made_at FROM artefact;

-- `status` is what EC2 calls an image's state.
CREATE TABLE new_ami (
    id            TEXT   NOT NULL PRIMARY KEY,
    region        TEXT   NOT NULL,
    owner         TEXT   NOT NULL,
    name          TEXT   NOT NULL,
    description   TEXT,
    architecture  TEXT   NOT NULL,
    boot_mode     TEXT   NOT NULL,
    tags          TEXT   NOT NULL,
    snapshot_id   TEXT   NOT NULL REFERENCES snapshot (id),
    run_id        TEXT   NOT NULL REFERENCES new_run (id),
    created_at    BIGINT NOT NULL,
    status        TEXT   NOT NULL,
    deprecated_at BIGINT,
    UNIQUE (region, owner, name)
);
INSERT INTO new_ami (id, region, owner, name, description, architecture, boot_mode, tags,
                     snapshot_id, run_id, created_at, status)
     SELECT id, region, owner, name, description, architecture, boot_mode, tags, snapshot_id,
            run_id, created_at, 'available'
       FROM ami;

DROP TABLE ami;
DROP TABLE artefact;
DROP TABLE step;
DROP TABLE run;
ALTER TABLE new_run RENAME TO run;
ALTER TABLE new_step RENAME TO step;
ALTER TABLE new_artefact RENAME TO artefact;
ALTER TABLE new_ami RENAME TO ami;

CREATE INDEX run_by_start ON run (started_at, id);
CREATE INDEX run_unfinished ON run (started_at, id) WHERE ended_at IS NULL;
CREATE INDEX step_by_label ON step (label, ended_at);
CREATE INDEX ami_by_run ON ami (run_id);
CREATE INDEX ami_by_snapshot ON ami (snapshot_id);

-- What the API shows of a run. `ordered_version` is the version with each
-- node in ten digits, so that texts compare as versions do. `body` holds
-- copies of the resources that the run was made from, `plan` its steps,
-- `packages` what is installed in the image once that is known.
CREATE TABLE image (
    run_id          TEXT   NOT NULL PRIMARY KEY REFERENCES run (id),
    account         TEXT   NOT NULL,
    region          TEXT   NOT NULL,
    name            TEXT   NOT NULL,
    ordered_version TEXT   NOT NULL,
    build           BIGINT NOT NULL,
    title           TEXT   NOT NULL,
    platform        TEXT   NOT NULL,
    os_version      TEXT,
    build_type      TEXT   NOT NULL,
    pipeline        TEXT,
    body            TEXT   NOT NULL,
    tags            TEXT   NOT NULL,
    plan            TEXT   NOT NULL,
    policy          TEXT,
    packages        TEXT,
    lifecycle_id    TEXT,
    created_at      BIGINT NOT NULL
);

CREATE UNIQUE INDEX image_by_version
    ON image (account, region, name, ordered_version, build DESC);
CREATE INDEX image_by_newest
    ON image (account, region, name, ordered_version DESC, build DESC);
CREATE INDEX image_by_pipeline ON image (pipeline, created_at, run_id);

-- What was done to images that are no longer wanted, and to what they consist of.
CREATE TABLE lifecycle_execution (
    id         TEXT   NOT NULL PRIMARY KEY,
    account    TEXT   NOT NULL,
    region     TEXT   NOT NULL,
    resource   TEXT   NOT NULL,
    state      TEXT   NOT NULL,
    reason     TEXT   NOT NULL,
    started_at BIGINT NOT NULL,
    ended_at   BIGINT
);

CREATE INDEX lifecycle_by_resource
    ON lifecycle_execution (account, region, resource, started_at, id);

CREATE TABLE lifecycle_resource (
    execution_id TEXT   NOT NULL REFERENCES lifecycle_execution (id),
    ordinal      BIGINT NOT NULL,
    parent       TEXT,
    resource     TEXT   NOT NULL,
    account      TEXT   NOT NULL,
    region       TEXT   NOT NULL,
    action       TEXT   NOT NULL,
    state        TEXT   NOT NULL,
    reason       TEXT   NOT NULL,
    snapshots    TEXT   NOT NULL,
    started_at   BIGINT NOT NULL,
    ended_at     BIGINT,
    PRIMARY KEY (execution_id, ordinal)
);
