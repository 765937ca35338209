//! The files of a folder, for the service and for the commands that read the same folders.
//!
//! Invariant: what is looked at is bounded in entries and depth. A folder beyond a bound is an error, so that nobody works with a
//! part of its files.

use std::path::{Path, PathBuf};

/// The most files and folders below a folder.
const MOST_ENTRIES: usize = 1_000;
/// The levels of folders below a folder.
const MOST_LEVELS: usize = 8;

#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    #[error("{} cannot be read: {}", .0.display(), .1)]
    Unreadable(PathBuf, std::io::Error),
    #[error("there are more than {MOST_ENTRIES} files and folders below {}: use fewer, or one file", .0.display())]
    TooMany(PathBuf),
    #[error("the folder {} is more than {MOST_LEVELS} levels below {}: move it up", .0.display(), .1.display())]
    TooDeep(PathBuf, PathBuf),
}

/// The wanted files of a folder and of the folders in it, sorted. Hidden ones are skipped, because a mounted volume of Kubernetes
/// has its content there a second time; so are what package managers install and the declarations of TypeScript, which are no models.
pub fn files_below(root: &Path, is_wanted: impl Fn(&Path) -> bool) -> Result<Vec<PathBuf>, FolderError> {
    let mut files = Vec::new();
    let mut folders = vec![(root.to_owned(), 0)];
    let mut seen = 0;
    while let Some((folder, level)) = folders.pop() {
        for entry in std::fs::read_dir(&folder).map_err(|error| unreadable(&folder, error))? {
            let path = entry.map_err(|error| unreadable(&folder, error))?.path();
            seen += 1;
            if seen > MOST_ENTRIES {
                return Err(FolderError::TooMany(root.to_owned()));
            }
            if path.file_name().is_some_and(|name| is_skipped(name.as_encoded_bytes())) {
                continue;
            }
            if std::fs::metadata(&path).map_err(|error| unreadable(&path, error))?.is_dir() {
                if level == MOST_LEVELS {
                    return Err(FolderError::TooDeep(path, root.to_owned()));
                }
                folders.push((path, level + 1));
            } else if is_wanted(&path) {
                files.push(path);
            }
        }
    }
    files.sort_unstable();
    Ok(files)
}

fn is_skipped(name: &[u8]) -> bool {
    name.starts_with(b".") || name == b"node_modules" || name.ends_with(b".d.ts")
}

fn unreadable(path: &Path, error: std::io::Error) -> FolderError {
    FolderError::Unreadable(path.to_owned(), error)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(folder: &Path) -> Result<usize, String> {
        files_below(folder, |_| true).map(|files| files.len()).map_err(|error| error.to_string())
    }

    #[test]
    fn the_last_level_is_read_and_one_below_it_is_an_error() {
        let root = tempfile::tempdir().unwrap();
        let mut folder = root.path().to_owned();
        for level in 1..=MOST_LEVELS {
            folder.push(level.to_string());
        }
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("model.ts"), "").unwrap();
        assert_eq!(found(root.path()), Ok(1));
        std::fs::create_dir(folder.join("9")).unwrap();
        assert!(found(root.path()).unwrap_err().contains("is more than 8 levels below"));
    }

    #[test]
    fn as_many_entries_as_allowed_are_read_and_one_more_is_an_error() {
        let root = tempfile::tempdir().unwrap();
        for index in 0..MOST_ENTRIES {
            std::fs::write(root.path().join(format!("{index}.ts")), "").unwrap();
        }
        assert_eq!(found(root.path()), Ok(MOST_ENTRIES));
        std::fs::write(root.path().join(".hidden"), "").unwrap();
        assert!(found(root.path()).unwrap_err().starts_with("there are more than 1000 files and folders below "));
    }

    #[test]
    fn the_files_are_sorted_and_hidden_ones_are_skipped() {
        let root = tempfile::tempdir().unwrap();
        for folder in ["b", "..data", "b-"] {
            std::fs::create_dir(root.path().join(folder)).unwrap();
            std::fs::write(root.path().join(folder).join("model.ts"), "").unwrap();
        }
        for name in [".hidden.ts", "c.ts", "a.ts", "notes.md"] {
            std::fs::write(root.path().join(name), "").unwrap();
        }
        let files = files_below(root.path(), |path| path.extension().is_some_and(|it| it == "ts")).unwrap();
        let names: Vec<_> = files.iter().map(|path| path.strip_prefix(root.path()).unwrap()).collect();
        assert_eq!(names, ["a.ts", "b/model.ts", "b-/model.ts", "c.ts"].map(Path::new));
    }
}
