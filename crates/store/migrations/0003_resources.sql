-- Resources of Image Builder's API. `major` to `build` are 0 where a kind has
-- no versions or no builds. `newest_build` marks the newest build of each
-- version, `newest_version` the newest build of each name: lists of versions
-- and of names read what is marked and nothing else.
CREATE TABLE resource (
    arn            TEXT   NOT NULL PRIMARY KEY,
    account        TEXT   NOT NULL,
    region         TEXT   NOT NULL,
    kind           TEXT   NOT NULL,
    segment        TEXT   NOT NULL,
    major          BIGINT NOT NULL,
    minor          BIGINT NOT NULL,
    patch          BIGINT NOT NULL,
    build          BIGINT NOT NULL,
    newest_build   BIGINT NOT NULL,
    newest_version BIGINT NOT NULL,
    name           TEXT   NOT NULL,
    fingerprint    TEXT,
    body           TEXT   NOT NULL,
    tags           TEXT   NOT NULL,
    policy         TEXT,
    created_at     BIGINT NOT NULL,
    updated_at     BIGINT NOT NULL,
    UNIQUE (account, region, kind, segment, major, minor, patch, build),
    UNIQUE (account, region, kind, segment, major, minor, patch, fingerprint)
);

CREATE UNIQUE INDEX resource_newest_build
    ON resource (account, region, kind, segment, major, minor, patch) WHERE newest_build = 1;

CREATE UNIQUE INDEX resource_newest_version
    ON resource (account, region, kind, segment) WHERE newest_version = 1;

-- What a resource names and cannot do without. `to_name` is the ARN of
-- `to_arn` without its version, for which all references are looked up.
CREATE TABLE resource_reference (
    from_arn TEXT NOT NULL REFERENCES resource (arn) ON DELETE CASCADE,
    to_arn   TEXT NOT NULL,
    to_name  TEXT NOT NULL,
    PRIMARY KEY (from_arn, to_arn)
);

CREATE INDEX resource_reference_by_name ON resource_reference (to_name, from_arn);

-- Requests that were carried out, by the token their client gave them, and
-- the ARN or id they were answered with.
CREATE TABLE client_token (
    account    TEXT   NOT NULL,
    region     TEXT   NOT NULL,
    operation  TEXT   NOT NULL,
    token      TEXT   NOT NULL,
    digest     TEXT   NOT NULL,
    answer     TEXT   NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (account, region, operation, token)
);

CREATE INDEX client_token_by_age ON client_token (created_at);
