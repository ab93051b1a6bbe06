-- The last build number given out to each version of a resource: none is
-- given out again after its build was deleted, for an image may name it.
CREATE TABLE resource_number (
    account TEXT   NOT NULL,
    region  TEXT   NOT NULL,
    kind    TEXT   NOT NULL,
    segment TEXT   NOT NULL,
    major   BIGINT NOT NULL,
    minor   BIGINT NOT NULL,
    patch   BIGINT NOT NULL,
    last    BIGINT NOT NULL,
    PRIMARY KEY (account, region, kind, segment, major, minor, patch)
);
INSERT INTO resource_number (account, region, kind, segment, major, minor, patch, last)
     SELECT account, region, kind, segment, major, minor, patch, MAX(build)
       FROM resource
      WHERE build > 0
      GROUP BY account, region, kind, segment, major, minor, patch;
