//! The data directory of a start without configuration: the SQLite file and the generated secrets.
//!
//! The directory is created with mode 0700 and the secrets file with mode 0600; later starts reuse both. Secrets are generated
//! only when none are configured, and never for a database that several nodes share, because each node would generate its own.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use base::Rng;
use serde_json::{Value, json};

const SECRETS: &str = "secrets.json";
const DATABASE: &str = "kleis.db";

/// Why the data directory cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum DataDirError {
    #[error("the data directory {0} cannot be created: mount a writable volume, and name it with --data or KLEIS_DATA")]
    Make(String, #[source] std::io::Error),
    #[error("the secrets file {0} cannot be read")]
    Read(String, #[source] std::io::Error),
    #[error(
        "the secrets file {0} can be read by others (mode {1:o}): chmod 600 it, and replace the secrets if others may have read them"
    )]
    Exposed(String, u32),
    #[error("the file {0} cannot be written: name a writable directory with --data or KLEIS_DATA")]
    Write(String, #[source] std::io::Error),
    #[error(
        "the database file {0} cannot be opened for writing by this user alone: name a writable directory with --data or KLEIS_DATA"
    )]
    Database(String, #[source] std::io::Error),
    #[error("the secrets file {0} is damaged; restore it from a backup: without it sealed data cannot be opened")]
    Damaged(String),
}

/// An existing directory that belongs to this user.
#[derive(Clone, Debug)]
pub struct DataDir(PathBuf);

impl DataDir {
    /// Opens or creates the directory.
    ///
    /// # Errors
    /// When it cannot be created.
    pub fn open(path: &Path) -> Result<Self, DataDirError> {
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(path)
            .map_err(|error| DataDirError::Make(path.display().to_string(), error))?;
        Ok(Self(path.to_owned()))
    }

    pub fn path(&self) -> &Path {
        &self.0
    }

    /// The path of the database file.
    pub fn database_path(&self) -> PathBuf {
        self.0.join(DATABASE)
    }

    /// The path of the database file, which only this user can read. It is created here, because SQLite would use the process's
    /// umask. The files that SQLite creates beside it have its mode.
    ///
    /// # Errors
    /// When the file can neither be created nor be closed to other users.
    pub fn database(&self) -> Result<PathBuf, DataDirError> {
        let path = self.database_path();
        let secure = || -> std::io::Result<()> {
            OpenOptions::new().append(true).create(true).mode(0o600).open(&path)?;
            for beside in ["", "-wal", "-shm"] {
                let file = self.0.join(format!("{DATABASE}{beside}"));
                match fs::metadata(&file) {
                    Ok(found) if found.permissions().mode() & 0o077 != 0 => {
                        fs::set_permissions(&file, fs::Permissions::from_mode(0o600))?;
                    }
                    Ok(_) => {}
                    Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
                    Err(error) => return Err(error),
                }
            }
            Ok(())
        };
        secure().map_err(|error| DataDirError::Database(path.display().to_string(), error))?;
        Ok(path)
    }

    /// The path of the secrets file, for messages.
    pub fn secrets_file(&self) -> String {
        self.0.join(SECRETS).display().to_string()
    }

    /// The secrets that an earlier start wrote.
    ///
    /// # Errors
    /// When the file cannot be read, or others could read it.
    pub fn secrets(&self) -> Result<Option<Value>, DataDirError> {
        self.read(SECRETS, |it| it.get("default").is_some())
    }

    /// Writes new secrets for the next start.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn keep_secrets(&self, secrets: &Value) -> Result<(), DataDirError> {
        let path = self.0.join(SECRETS);
        let partial = self.0.join(format!("{SECRETS}.{}", std::process::id()));
        let publish = || {
            Self::write_to(&partial, &document(secrets)?)?;
            // Linking fails when the file exists, so that the secrets of a concurrent start are never replaced.
            let linked = fs::hard_link(&partial, &path);
            fs::remove_file(&partial)?;
            linked?;
            fs::File::open(&self.0)?.sync_all()
        };
        publish().map_err(|error| DataDirError::Write(path.display().to_string(), error))
    }

    /// The content of a file that only this user can read. If the file does not exist, `make` generates the content, which is
    /// written before it is used.
    ///
    /// # Errors
    /// When the file cannot be read or written, others could read it, or `is_whole` says that it is damaged.
    pub fn kept(
        &self,
        file: &str,
        is_whole: impl Fn(&Value) -> bool,
        make: impl FnOnce() -> Value,
    ) -> Result<Value, DataDirError> {
        if let Some(content) = self.read(file, is_whole)? {
            return Ok(content);
        }
        let (path, content) = (self.0.join(file), make());
        let written = document(&content).and_then(|text| self.write(&path, &text));
        written.map_err(|error| DataDirError::Write(path.display().to_string(), error))?;
        Ok(content)
    }

    fn read(&self, file: &str, is_whole: impl Fn(&Value) -> bool) -> Result<Option<Value>, DataDirError> {
        let Some(bytes) = self.bytes(file)? else { return Ok(None) };
        let content: Option<Value> = serde_json::from_slice(&bytes).ok();
        let damaged = || DataDirError::Damaged(self.0.join(file).display().to_string());
        content.filter(is_whole).map(Some).ok_or_else(damaged)
    }

    /// The text of a file that only this user can read.
    ///
    /// # Errors
    /// When the file cannot be read, or others could read it.
    pub fn text(&self, file: &str) -> Result<Option<String>, DataDirError> {
        let damaged = || DataDirError::Damaged(self.0.join(file).display().to_string());
        self.bytes(file)?.map(|bytes| String::from_utf8(bytes).map_err(|_| damaged())).transpose()
    }

    /// Replaces a file that only this user can read, and returns its path.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn keep_text(&self, file: &str, text: &str) -> Result<PathBuf, DataDirError> {
        let path = self.0.join(file);
        self.write(&path, text).map_err(|error| DataDirError::Write(path.display().to_string(), error))?;
        Ok(path)
    }

    fn bytes(&self, file: &str) -> Result<Option<Vec<u8>>, DataDirError> {
        let path = self.0.join(file);
        let name = path.display().to_string();
        match fs::read(&path) {
            Ok(bytes) => {
                let mode = fs::metadata(&path).map_err(|error| DataDirError::Read(name.clone(), error))?.permissions();
                if mode.mode() & 0o077 != 0 {
                    return Err(DataDirError::Exposed(name, mode.mode() & 0o777));
                }
                Ok(Some(bytes))
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(DataDirError::Read(name, error)),
        }
    }

    /// Writes a temporary file and renames it, so that an interrupted start leaves no partial file.
    fn write(&self, path: &Path, text: &str) -> std::io::Result<()> {
        let partial = path.with_extension("partial");
        Self::write_to(&partial, text)?;
        fs::rename(&partial, path)?;
        fs::File::open(&self.0)?.sync_all()
    }

    fn write_to(path: &Path, text: &str) -> std::io::Result<()> {
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()
    }
}

fn document(content: &Value) -> std::io::Result<String> {
    Ok(serde_json::to_string_pretty(content)? + "\n")
}

/// The secrets of a process: 32 characters each, the length of the cipher's key.
pub fn generate(rng: &Rng) -> Value {
    let one = || json!([rng.alphanumeric(32)]);
    json!({ "default": one(), "cipher": one() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_start_finds_the_secrets_of_the_first() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("kleis-data");
        let first = DataDir::open(&path).unwrap();
        assert_eq!(first.secrets().unwrap(), None);
        let secrets = generate(&Rng::seeded(1));
        first.keep_secrets(&secrets).unwrap();
        assert_eq!(DataDir::open(&path).unwrap().secrets().unwrap(), Some(secrets));
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&path), 0o700);
        assert_eq!(mode(&path.join(SECRETS)), 0o600);
    }

    #[tokio::test]
    async fn only_this_user_can_read_the_database_and_the_files_beside_it() {
        let place = tempfile::tempdir().unwrap();
        let dir = DataDir::open(&place.path().join("kleis-data")).unwrap();
        let mode = |name: &str| fs::metadata(dir.path().join(name)).unwrap().permissions().mode() & 0o777;
        for round in 0..2 {
            let database = database::Database::open(&database::Dsn::sqlite(dir.database().unwrap())).await.unwrap();
            database.migrate(&[jobs::MIGRATIONS], base::Timestamp::EPOCH).await.unwrap();
            for name in [DATABASE, "kleis.db-wal", "kleis.db-shm"] {
                assert_eq!(mode(name), 0o600, "{name} in round {round}");
            }
            drop(database);
            // As an older version created it.
            fs::set_permissions(dir.path().join(DATABASE), fs::Permissions::from_mode(0o644)).unwrap();
        }
    }

    #[test]
    fn secrets_that_others_can_read_or_that_are_damaged_stop_the_start() {
        let place = tempfile::tempdir().unwrap();
        let dir = DataDir::open(place.path()).unwrap();
        dir.keep_secrets(&generate(&Rng::seeded(1))).unwrap();
        let file = place.path().join(SECRETS);
        fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
        assert!(matches!(dir.secrets(), Err(DataDirError::Exposed(..))));
        fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
        fs::write(&file, "{").unwrap();
        assert!(matches!(dir.secrets(), Err(DataDirError::Damaged(_))));
    }
}
