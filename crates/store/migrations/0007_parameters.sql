-- Parameters belong to an account, as access keys do. Those recorded before
-- are the first account's, which is made if there is none yet.
INSERT INTO account (id, alias, created_at)
     SELECT printf('%012d', abs(random() % 1000000000000)), 'goldsmith', MIN(modified_at)
       FROM parameter
      WHERE NOT EXISTS (SELECT 1 FROM account)
     HAVING COUNT(*) > 0;

CREATE TABLE new_parameter (
    account     TEXT   NOT NULL REFERENCES account (id),
    name        TEXT   NOT NULL,
    type        TEXT   NOT NULL,
    version     BIGINT NOT NULL,
    value       TEXT   NOT NULL,
    modified_at BIGINT NOT NULL,
    PRIMARY KEY (account, name)
);
INSERT INTO new_parameter (account, name, type, version, value, modified_at)
     SELECT (SELECT id FROM account ORDER BY created_at, id LIMIT 1),
            name, type, version, value, modified_at
       FROM parameter;
DROP TABLE parameter;
ALTER TABLE new_parameter RENAME TO parameter;
