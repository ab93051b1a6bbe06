-- Times are microseconds since 1970. Types and statements are those that
-- SQLite and PostgreSQL have in common. A released file never changes.

-- The last build number given out, kept apart from runs: a number is not
-- given out again when its image is deleted.
CREATE TABLE build_number (
    image   TEXT   NOT NULL,
    version TEXT   NOT NULL,
    last    BIGINT NOT NULL,
    PRIMARY KEY (image, version)
);

CREATE TABLE run (
    id          TEXT   NOT NULL PRIMARY KEY,
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
    UNIQUE (image, version, build)
);

CREATE TABLE step (
    run_id     TEXT   NOT NULL REFERENCES run (id),
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

CREATE INDEX step_by_label ON step (label, ended_at);

CREATE TABLE base (
    key         TEXT   NOT NULL PRIMARY KEY,
    arn         TEXT   NOT NULL,
    digest      TEXT   NOT NULL,
    size        BIGINT NOT NULL,
    description TEXT   NOT NULL,
    made_at     BIGINT NOT NULL
);

-- What a run made, whether or not its tests then passed.
CREATE TABLE artefact (
    run_id  TEXT   NOT NULL PRIMARY KEY REFERENCES run (id),
    digest  TEXT   NOT NULL,
    size    BIGINT NOT NULL,
    tests   TEXT   NOT NULL,
    made_at BIGINT NOT NULL
);

CREATE TABLE snapshot (
    id           TEXT   NOT NULL PRIMARY KEY,
    region       TEXT   NOT NULL,
    digest       TEXT   NOT NULL,
    volume_bytes BIGINT NOT NULL,
    blocks       BIGINT NOT NULL,
    created_at   BIGINT NOT NULL
);

CREATE TABLE ami (
    id           TEXT   NOT NULL PRIMARY KEY,
    region       TEXT   NOT NULL,
    owner        TEXT   NOT NULL,
    name         TEXT   NOT NULL,
    description  TEXT,
    architecture TEXT   NOT NULL,
    boot_mode    TEXT   NOT NULL,
    tags         TEXT   NOT NULL,
    snapshot_id  TEXT   NOT NULL REFERENCES snapshot (id),
    run_id       TEXT   NOT NULL REFERENCES run (id),
    created_at   BIGINT NOT NULL,
    UNIQUE (region, owner, name)
);

CREATE INDEX ami_by_run ON ami (run_id);
CREATE INDEX ami_by_snapshot ON ami (snapshot_id);
