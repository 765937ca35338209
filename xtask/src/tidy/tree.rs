//! The text files of the repository, read once.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};

use super::code::Code;

/// Names of generated files and folders.
const SKIPPED: &[&str] = &[".git", "target", "kleis-data", "corpus", "artifacts", "node_modules", "generated"];

pub(super) struct Tree {
    files: Vec<File>,
    folders: Vec<String>,
}

/// A text file; `path` is relative to the root, with `/` as the separator.
pub(super) struct File {
    pub(super) path: String,
    pub(super) text: String,
    /// The same text split as Rust code, for `.rs` files.
    pub(super) code: Option<Code>,
}

impl File {
    pub(super) fn new(path: &str, text: &str) -> Self {
        let mut file = Self { path: path.to_owned(), text: text.to_owned(), code: None };
        if file.has_extension("rs") {
            file.code = Some(Code::read(text));
        }
        file
    }

    pub(super) fn has_extension(&self, extension: &str) -> bool {
        Path::new(&self.path).extension().is_some_and(|its| its == extension)
    }

    /// The crate that a file under `crates/` belongs to.
    pub(super) fn krate(&self) -> Option<&str> {
        self.path.strip_prefix("crates/").and_then(|rest| rest.split('/').next())
    }

    /// Whether the file is in a folder of that name inside its crate, or is the module of that name.
    pub(super) fn is_in(&self, folder: &str) -> bool {
        let module = format!("{folder}.rs");
        self.path.split('/').any(|part| part == folder || part == module)
    }

    /// Whether the file is test code outside `src/`, or a test module inside it.
    pub(super) fn is_test(&self) -> bool {
        let is_tests = |part: &str| part.trim_end_matches(".rs").ends_with("_tests");
        self.is_in("tests") || self.is_in("testing") || self.is_in("benches") || self.path.split('/').any(is_tests)
    }
}

impl Tree {
    pub(super) fn read(root: &Path) -> Result<Self> {
        let mut tree = Self { files: Vec::new(), folders: Vec::new() };
        tree.read_folder(root, "")?;
        Ok(tree)
    }

    pub(super) fn files(&self) -> &[File] {
        &self.files
    }

    /// Whether a file or folder with that path exists.
    pub(super) fn contains(&self, path: &str) -> bool {
        let path = path.trim_end_matches('/');
        self.folders.iter().any(|folder| folder == path) || self.files.iter().any(|file| file.path == path)
    }

    fn read_folder(&mut self, folder: &Path, name: &str) -> Result<()> {
        let entries = fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?;
        let mut entries = entries.collect::<Result<Vec<_>, _>>()?;
        entries.sort_by_key(fs::DirEntry::file_name);
        for entry in entries {
            let Ok(entry_name) = entry.file_name().into_string() else { continue };
            let path = if name.is_empty() { entry_name.clone() } else { format!("{name}/{entry_name}") };
            let kind = entry.file_type()?;
            // In a worktree `.git` is a file.
            if SKIPPED.contains(&entry_name.as_str()) {
                continue;
            }
            if kind.is_dir() {
                self.folders.push(path.clone());
                self.read_folder(&entry.path(), &path)?;
            } else if kind.is_file() {
                let bytes = fs::read(entry.path()).with_context(|| format!("cannot read {path}"))?;
                // Images and fonts contain no text to check; the rules only need to know that they exist.
                self.files.push(File::new(&path, std::str::from_utf8(&bytes).unwrap_or_default()));
            }
        }
        Ok(())
    }

    #[cfg(test)]
    pub(super) fn of(files: &[(&str, &str)]) -> Self {
        let mut folders = Vec::new();
        for (path, _) in files {
            for (index, _) in path.match_indices('/') {
                folders.push(path[..index].to_owned());
            }
        }
        Self { files: files.iter().map(|(path, text)| File::new(path, text)).collect(), folders }
    }
}
