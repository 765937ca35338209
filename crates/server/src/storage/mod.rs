//! The tables of the program itself, which concern the whole database and belong to no service.

pub(crate) mod foreign_tables;
pub(crate) mod secret_checks;

use database::MigrationSet;

pub(crate) const MIGRATIONS: MigrationSet = database::migrations! { "server", [1 => "0001_secret_checks.sql"] };

#[cfg(test)]
mod tests {
    use super::{MIGRATIONS, foreign_tables, secret_checks};

    #[tokio::test]
    async fn every_statement_is_valid_on_both_engines() {
        database::testing::prepare_all(&[MIGRATIONS], &[foreign_tables::STATEMENTS, secret_checks::STATEMENTS]).await;
    }
}
