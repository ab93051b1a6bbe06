//! The database file: how it is opened, brought up to date and written to.

use std::fs::{self, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;
use std::time::Duration;

use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};
use sqlx::{ConnectOptions, Connection, Sqlite, Transaction};

use crate::error::attempt;
use crate::{StoreError, StoreErrorKind, image};

/// The store's connections. Cheap to clone.
///
/// Any number of processes may have the same file open.
#[derive(Debug, Clone)]
pub struct Db {
    pool: SqlitePool,
    writer: SqlitePool,
}

impl Db {
    /// Opens the database at `path`, makes it if it is not there and brings its schema up to date.
    ///
    /// A crash leaves the schema as it was before or as it is after, never
    /// between. A database of a newer version is refused and left alone.
    pub async fn open(path: &Path) -> Result<Self, StoreError> {
        attempt("open the store", async {
            make_private(path).map_err(|source| StoreErrorKind::opening(path)(source.into()))?;
            let options = options(path);
            turn_to_wal(&options).await.map_err(StoreErrorKind::opening(path))?;
            // Writers of this process stand in line for it, in the order they came; those who
            // only read never wait behind them for a connection.
            let writer = SqlitePoolOptions::new().max_connections(1).acquire_timeout(PATIENCE);
            let writer = writer.connect_with(options.clone()).await;
            let writer = writer.map_err(StoreErrorKind::opening(path))?;
            migrate(&writer).await?;
            // After that: what a connection knows of the schema it knows from when it was opened.
            // They cannot write: a statement that waits for the lock would take a reader's place.
            let options = options.pragma("query_only", "ON");
            let pool = SqlitePoolOptions::new().max_connections(READERS).connect_with(options);
            let pool = pool.await.map_err(StoreErrorKind::opening(path))?;
            Ok(Self { pool, writer })
        })
        .await
    }

    /// Closes all connections and folds the write-ahead log into the file.
    pub async fn close(self) {
        self.pool.close().await;
        self.writer.close().await;
    }

    /// Returns where statements that read are executed; those that write are refused.
    pub(crate) fn pool(&self) -> &SqlitePool {
        &self.pool
    }

    /// Returns where single statements that write are executed.
    pub(crate) fn writer(&self) -> &SqlitePool {
        &self.writer
    }

    /// Begins a transaction that will write; dropping it undoes what it did.
    pub(crate) async fn begin(&self) -> Result<Transaction<'static, Sqlite>, sqlx::Error> {
        begin(&self.writer).await
    }
}

/// The schema's history. Its files are applied in order, each once.
const MIGRATIONS: &[&str] = &[
    include_str!("../migrations/0001_first.sql"),
    include_str!("../migrations/0002_accounts.sql"),
    include_str!("../migrations/0003_resources.sql"),
    include_str!("../migrations/0004_images.sql"),
    include_str!("../migrations/0005_owners.sql"),
    include_str!("../migrations/0006_no_bases.sql"),
    include_str!("../migrations/0007_parameters.sql"),
    include_str!("../migrations/0008_resource_numbers.sql"),
];

/// The version whose rows SQL alone cannot fill: it would have to take version
/// numbers apart.
const IMAGES: i64 = 4;

/// How many read at once.
const READERS: u32 = 4;

/// How long a writer waits for another one, in this process or elsewhere.
const PATIENCE: Duration = Duration::from_secs(30);

fn options(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .foreign_keys(true)
        .busy_timeout(PATIENCE)
        // What was said to be published must be so after a power cut, which
        // NORMAL would not promise with a write-ahead log. A build commits
        // some dozens of times, so the price is milliseconds.
        .synchronous(SqliteSynchronous::Full)
        .disable_statement_logging()
}

async fn begin(writer: &SqlitePool) -> Result<Transaction<'static, Sqlite>, sqlx::Error> {
    // A plain BEGIN would take the write lock at its first write and
    // fail at once, whatever the timeout, if someone wrote in between.
    writer.begin_with("BEGIN IMMEDIATE").await
}

/// Makes the file, or takes one of an earlier version, for this user alone. SQLite gives what lies
/// beside it the mode that the file has when it makes them.
fn make_private(path: &Path) -> io::Result<()> {
    OpenOptions::new().create(true).append(true).mode(0o600).open(path)?;
    for suffix in ["", "-wal", "-shm"] {
        let mut beside = path.as_os_str().to_owned();
        beside.push(suffix);
        match fs::set_permissions(&beside, Permissions::from_mode(0o600)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            done => done?,
        }
    }
    Ok(())
}

/// Brings the schema up to date.
async fn migrate(writer: &SqlitePool) -> Result<(), StoreErrorKind> {
    let mut tx = begin(writer).await?;
    sqlx::raw_sql("CREATE TABLE IF NOT EXISTS schema_version (version BIGINT NOT NULL)")
        .execute(&mut *tx)
        .await?;
    let found: i64 = sqlx::query_scalar("SELECT COALESCE(MAX(version), 0) FROM schema_version")
        .fetch_one(&mut *tx)
        .await?;
    let known = MIGRATIONS.len() as i64;
    if found > known {
        return Err(StoreErrorKind::Newer { found, known });
    }
    for (version, sql) in (1..).zip(MIGRATIONS).skip_while(|(version, _)| *version <= found) {
        sqlx::raw_sql(*sql).execute(&mut *tx).await?;
        if version == IMAGES {
            image::show_earlier_runs(&mut tx).await?;
        }
        sqlx::query("INSERT INTO schema_version (version) VALUES ($1)")
            .bind::<i64>(version)
            .execute(&mut *tx)
            .await?;
    }
    tx.commit().await?;
    Ok(())
}

/// Switches a new database to a write-ahead log, which then stays with the file.
///
/// SQLite does not wait for the lock that this needs, so processes that open a
/// new database at the same time must ask again.
async fn turn_to_wal(options: &SqliteConnectOptions) -> Result<(), sqlx::Error> {
    const PAUSE: Duration = Duration::from_millis(20);
    let options = options.clone().journal_mode(SqliteJournalMode::Wal);
    let mut waited = Duration::ZERO;
    loop {
        match options.connect().await {
            Ok(connection) => return connection.close().await,
            Err(error) if is_busy(&error) && waited < PATIENCE => {
                tokio::time::sleep(PAUSE).await;
                waited += PAUSE;
            }
            Err(error) => return Err(error),
        }
    }
}

/// Returns whether another connection is in the way (SQLITE_BUSY and its extended codes).
fn is_busy(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(|error| error.code());
    let code = code.and_then(|code| code.parse::<u32>().ok());
    code.is_some_and(|code| code & 0xff == 5)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::MetadataExt;

    use super::*;
    use crate::fixture::{Fixture, new_run};
    use crate::run;

    async fn number(db: &Db, sql: &'static str) -> i64 {
        sqlx::query_scalar(sql).fetch_one(db.pool()).await.unwrap()
    }

    #[tokio::test]
    async fn the_database_is_for_its_owner_alone() {
        let Fixture { db, folder } = Fixture::new().await;
        let files = ["goldsmith.db", "goldsmith.db-wal", "goldsmith.db-shm"];
        let files = files.map(|name| folder.path().join(name));
        let modes = || files.clone().map(|path| fs::metadata(path).unwrap().mode() & 0o777);
        run::create(&db, new_run(1, "web")).await.unwrap();
        assert_eq!(modes(), [0o600; 3]);
        // As an earlier version left them.
        for path in &files {
            fs::set_permissions(path, Permissions::from_mode(0o644)).unwrap();
        }
        let again = Db::open(&files[0]).await.unwrap();
        run::create(&again, new_run(2, "web")).await.unwrap();
        assert_eq!(modes(), [0o600; 3]);
    }

    #[tokio::test]
    async fn the_connections_are_set_up_for_safety() {
        let Fixture { db, folder: _folder } = Fixture::new().await;
        let mode: String =
            sqlx::query_scalar("PRAGMA journal_mode").fetch_one(db.pool()).await.unwrap();
        assert_eq!(mode, "wal");
        assert_eq!(number(&db, "PRAGMA synchronous").await, 2, "FULL");
        assert_eq!(number(&db, "PRAGMA foreign_keys").await, 1);
        assert_eq!(number(&db, "PRAGMA busy_timeout").await, 30_000);
    }

    /// However many wait to write, in a transaction or by themselves, and whoever has the lock.
    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn readers_never_wait_for_writers() {
        let Fixture { db, folder: _folder } = Fixture::new().await;
        let first = run::create(&db, new_run(99, "web")).await.unwrap().id;
        let tx = db.begin().await.unwrap();
        let waiting: Vec<_> = (0..16)
            .map(|n| {
                let db = db.clone();
                tokio::spawn(async move {
                    match n % 2 {
                        0 => run::create(&db, new_run(n, "web")).await.map(drop).unwrap(),
                        _ => image::set_os_version(&db, first, "Debian").await.unwrap(),
                    }
                })
            })
            .collect();
        for _ in 0..100 {
            tokio::task::yield_now().await;
            assert_eq!(number(&db, "SELECT COUNT(*) FROM run").await, 1);
        }
        let written = sqlx::query("DELETE FROM run").execute(db.pool()).await.unwrap_err();
        assert!(written.to_string().contains("readonly"), "{written}");
        drop(tx);
        for one in waiting {
            one.await.unwrap();
        }
        assert_eq!(number(&db, "SELECT COUNT(*) FROM run").await, 9);
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn many_processes_may_open_a_new_database_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("goldsmith.db");
        let tasks = (0..12).map(|n| {
            let path = path.clone();
            tokio::spawn(async move {
                let db = Db::open(&path).await.unwrap();
                run::create(&db, new_run(n, "web")).await.unwrap();
                db.close().await;
            })
        });
        for task in tasks.collect::<Vec<_>>() {
            task.await.unwrap();
        }
        let db = Db::open(&path).await.unwrap();
        assert_eq!(run::list(&db).await.unwrap().len(), 12);
        let versions = number(&db, "SELECT COUNT(*) FROM schema_version").await;
        assert_eq!(versions, MIGRATIONS.len() as i64);
    }

    /// Databases from before accounts had runs of their own come along whole.
    #[tokio::test]
    async fn earlier_runs_become_images() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("goldsmith.db");
        let mut old = options(&path).connect().await.unwrap();
        let rows = "
            CREATE TABLE schema_version (version BIGINT NOT NULL);
            INSERT INTO schema_version VALUES (1);
            INSERT INTO build_number VALUES ('web', '1.20.3', 7);
            INSERT INTO run VALUES ('run-00101010101010101', 'web', '1.20.3', 7, 'AVAILABLE', '',
                '/web', '{\"name\":\"Web\"}', 'w', 1, 'boot', 1, 5, 6);
            INSERT INTO step VALUES ('run-00101010101010101', 1, 'build', 'PrepareBase', 'base',
                'COMPLETED', '', 5, 6);
            INSERT INTO snapshot VALUES ('snap-00101010101010101', 'local-1', 'd', 1, 1, 6);
            INSERT INTO ami VALUES ('ami-00101010101010101', 'local-1', '000000000000', 'web 1',
                NULL, 'x86_64', 'uefi', '{}', 'snap-00101010101010101', 'run-00101010101010101', 6);
        ";
        let sql = format!("{}{rows}", MIGRATIONS[0]);
        sqlx::raw_sql(sqlx::AssertSqlSafe(sql)).execute(&mut old).await.unwrap();
        old.close().await.unwrap();

        let db = Db::open(&path).await.unwrap();
        let run = run::list(&db).await.unwrap().remove(0);
        let image = image::of_run(&db, run.id).await.unwrap();
        assert_eq!((image.title.as_str(), image.build), ("Web", run.build));
        assert_eq!((image.account.as_str(), image.region.as_str()), ("000000000000", "local-1"));
        assert_eq!(crate::step::list(&db, run.id).await.unwrap().len(), 1);
        assert_eq!(crate::ami::of_run(&db, run.id).await.unwrap().len(), 1);
        let mut next = new_run(2, "web");
        next.version = run.build.version;
        assert_eq!(run::create(&db, next).await.unwrap().build.build, 8);
        assert_eq!(number(&db, "SELECT COUNT(*) FROM pragma_foreign_key_check").await, 0);
    }

    #[tokio::test]
    async fn a_newer_database_is_left_alone() {
        let Fixture { db, folder } = Fixture::new().await;
        sqlx::query("INSERT INTO schema_version (version) VALUES (99)")
            .execute(db.writer())
            .await
            .unwrap();
        let error = Db::open(&folder.path().join("goldsmith.db")).await.unwrap_err();
        let StoreErrorKind::Newer { found, known } = error.kind() else { panic!("{error:?}") };
        assert_eq!((*found, *known), (99, MIGRATIONS.len() as i64));
    }

    #[tokio::test]
    async fn what_is_no_database_is_refused_by_name() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("goldsmith.db");
        std::fs::write(&path, "not a database, but long enough to be read as one".repeat(9))
            .unwrap();
        let error = Db::open(&path).await.unwrap_err();
        let expected = format!("failed to open the database `{}`", path.display());
        assert_eq!(error.kind().to_string(), expected);
    }

    /// What a killed process leaves is the files as they are at that moment.
    #[tokio::test]
    async fn what_a_killed_writer_began_never_happened() {
        let Fixture { db, folder } = Fixture::new().await;
        run::create(&db, new_run(1, "web")).await.unwrap();
        let mut tx = db.begin().await.unwrap();
        // With a tiny cache, pages reach the log before the commit does.
        sqlx::query("PRAGMA cache_size = 1").execute(&mut *tx).await.unwrap();
        sqlx::query("UPDATE build_number SET last = 99").execute(&mut *tx).await.unwrap();
        for n in 0..200 {
            sqlx::query("INSERT INTO snapshot VALUES ($1, 'local-1', $2, 1, 1, 1)")
                .bind(n.to_string())
                .bind("x".repeat(2000))
                .execute(&mut *tx)
                .await
                .unwrap();
        }
        let left = tempfile::tempdir().unwrap();
        for file in ["goldsmith.db", "goldsmith.db-wal"] {
            std::fs::copy(folder.path().join(file), left.path().join(file)).unwrap();
        }
        // Readers go on meanwhile and see nothing of it.
        assert_eq!(number(&db, "SELECT COUNT(*) FROM snapshot").await, 0);

        let after = Db::open(&left.path().join("goldsmith.db")).await.unwrap();
        assert_eq!(number(&after, "SELECT COUNT(*) FROM snapshot").await, 0);
        let run = run::create(&after, new_run(2, "web")).await.unwrap();
        assert_eq!(run.build.build, 2);
    }
}
