//! Migrations: one file for all dialects. Blocks under `-- sqlite:` or `-- postgres:` end at `-- all:`.

use std::borrow::Cow;
use std::path::Path;

use futures::future::BoxFuture;
use sqlx::AssertSqlSafe;
use sqlx::SqlSafeStr;
use sqlx::error::BoxDynError;
use sqlx::migrate::{Migrate, MigrateError, Migration, MigrationSource, MigrationType, Migrator};

use super::failure::StoreError;

const MIGRATIONS: &[(i64, &str, &str)] = &[
    (1, "runs", include_str!("../migrations/0001_runs.sql")),
    (2, "documents", include_str!("../migrations/0002_documents.sql")),
    (3, "conversations", include_str!("../migrations/0003_conversations.sql")),
    (4, "repeats", include_str!("../migrations/0004_repeats.sql")),
    (5, "saved workflows", include_str!("../migrations/0005_saved_workflows.sql")),
    (6, "nested runs", include_str!("../migrations/0006_nested_runs.sql")),
    (7, "cache", include_str!("../migrations/0007_cache.sql")),
    (8, "lanes", include_str!("../migrations/0008_lanes.sql")),
    (9, "effects", include_str!("../migrations/0009_effects.sql")),
    (10, "versions", include_str!("../migrations/0010_versions.sql")),
    (11, "retention", include_str!("../migrations/0011_retention.sql")),
    (12, "people", include_str!("../migrations/0012_people.sql")),
    (13, "outbox", include_str!("../migrations/0013_outbox.sql")),
    (14, "platforms", include_str!("../migrations/0014_platforms.sql")),
    (30, "triggers", include_str!("../migrations/0030_triggers.sql")),
    (31, "asking", include_str!("../migrations/0031_asking.sql")),
    (32, "documents of runs", include_str!("../migrations/0032_documents_of_runs.sql")),
    (36, "marks", include_str!("../migrations/0036_marks.sql")),
];

#[derive(Debug)]
struct Embedded(&'static str);

impl MigrationSource<'static> for Embedded {
    fn resolve(self) -> BoxFuture<'static, Result<Vec<Migration>, BoxDynError>> {
        let migrations = MIGRATIONS
            .iter()
            .map(|&(version, name, text)| {
                // The text is our own, put together from the files above.
                let sql = AssertSqlSafe(for_dialect(text, self.0)).into_sql_str();
                Migration::new(version, Cow::Borrowed(name), MigrationType::Simple, sql, false)
            })
            .collect();
        Box::pin(async move { Ok(migrations) })
    }
}

/// Brings the schema up to date.
///
/// # Errors
/// [`StoreError::Newer`] when the file knows migrations that this program does not.
pub async fn migrate<C>(connection: &mut C, dialect: &'static str, path: &Path) -> Result<(), StoreError>
where
    C: Migrate,
{
    let failed = |error: MigrateError| StoreError::Failed {
        action: "migrate",
        path: path.to_owned(),
        message: error.to_string(),
    };
    let migrator = Migrator::new(Embedded(dialect)).await.map_err(failed)?;
    match migrator.run_direct(None, connection, false).await {
        Ok(()) => Ok(()),
        Err(MigrateError::VersionMissing(found)) => Err(StoreError::Newer { path: path.to_owned(), found }),
        Err(error) => Err(failed(error)),
    }
}

fn for_dialect(text: &str, dialect: &str) -> String {
    let own = format!("-- {dialect}:");
    let mut wanted = true;
    let mut out = String::with_capacity(text.len());
    for line in text.lines() {
        let mark = line.trim_start();
        if mark.starts_with("-- all:") || mark.starts_with(&own) {
            wanted = true;
        } else if mark.starts_with("-- sqlite:") || mark.starts_with("-- postgres:") {
            wanted = false;
        } else if wanted {
            out.push_str(line);
            out.push('\n');
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dialect_sees_its_own_blocks_and_those_of_all() {
        let text = "a\n-- sqlite: why\nb\n-- postgres:\nc\n-- all:\nd\n";
        assert_eq!(for_dialect(text, "sqlite"), "a\nb\nd\n");
        assert_eq!(for_dialect(text, "postgres"), "a\nc\nd\n");
    }
}
