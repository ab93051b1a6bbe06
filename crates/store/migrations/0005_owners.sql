-- Runs name the lock that the process which carries them out holds. What was
-- told of the process before means another one in another container. No
-- process of an earlier version holds such a lock: what its runs had begun is
-- ended by the next start.
ALTER TABLE run ADD COLUMN owner TEXT NOT NULL DEFAULT 'none';
ALTER TABLE run DROP COLUMN owner_pid;
ALTER TABLE run DROP COLUMN owner_boot;
ALTER TABLE run DROP COLUMN owner_ticks;
