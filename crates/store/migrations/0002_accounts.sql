-- Who may use the service, and what documents may refer to. What is `secret`,
-- or the value of a SecureString, is sealed with the keyring's key.

CREATE TABLE account (
    id         TEXT   NOT NULL PRIMARY KEY,
    alias      TEXT   NOT NULL UNIQUE,
    created_at BIGINT NOT NULL
);

CREATE TABLE access_key (
    id         TEXT   NOT NULL PRIMARY KEY,
    account    TEXT   NOT NULL REFERENCES account (id),
    secret     TEXT   NOT NULL,
    status     TEXT   NOT NULL,
    created_at BIGINT NOT NULL,
    used_at    BIGINT
);

CREATE INDEX access_key_by_account ON access_key (account, created_at);

CREATE TABLE parameter (
    name        TEXT   NOT NULL PRIMARY KEY,
    type        TEXT   NOT NULL,
    version     BIGINT NOT NULL,
    value       TEXT   NOT NULL,
    modified_at BIGINT NOT NULL
);
