//! The files of a permission model.
//!
//! Invariant: what is read is bounded in bytes, files and depth.

use std::io::Read;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use permission_language::{Limits, SourceFile};

/// The extensions of the files of a folder.
const EXTENSIONS: [&str; 2] = ["ts", "opl"];
/// The most files and folders below the named ones.
const MOST_FILES: usize = 1_000;
/// How deep folders are read.
const MOST_LEVELS: usize = 8;

/// A text and the name that messages give it.
pub(super) struct ModelFile {
    /// `-` for standard input.
    pub(super) path: PathBuf,
    pub(super) name: String,
    pub(super) text: String,
}

impl ModelFile {
    pub(super) fn source(&self) -> SourceFile<'_> {
        SourceFile { name: &self.name, text: &self.text }
    }

    pub(super) fn is_standard_input(&self) -> bool {
        self.path == Path::new("-")
    }
}

/// Reads files, the files of folders, and standard input for `-`.
pub(super) fn read_all(paths: &[PathBuf]) -> anyhow::Result<Vec<ModelFile>> {
    let mut files = Vec::new();
    for path in paths {
        find(path, 0, &mut files)?;
    }
    if files.is_empty() {
        bail!("no file ends in .ts or .opl: name the files of the model");
    }
    files.iter().map(|path| read(path)).collect()
}

/// Reads a file, or standard input for `-`.
pub(super) fn read(path: &Path) -> anyhow::Result<ModelFile> {
    let (name, text) = if path == Path::new("-") {
        let text = read_bounded(std::io::stdin().lock()).context("standard input cannot be read")?;
        ("standard input".to_owned(), text)
    } else {
        let name = path.display().to_string();
        let file = std::fs::File::open(path).with_context(|| format!("{name} cannot be read"))?;
        let text = read_bounded(file).with_context(|| format!("{name} cannot be read"))?;
        (name, text)
    };
    Ok(ModelFile { path: path.to_owned(), name, text })
}

/// One byte over the bound is enough for the parser to refuse the text.
fn read_bounded(from: impl Read) -> std::io::Result<String> {
    let most = Limits::default().file_bytes as u64 + 1;
    let mut bytes = Vec::new();
    from.take(most).read_to_end(&mut bytes)?;
    // A character that the bound divides is not an error of the text.
    let end = if bytes.len() as u64 == most { last_border(&bytes) } else { bytes.len() };
    bytes.truncate(end);
    String::from_utf8(bytes).map_err(|error| std::io::Error::new(std::io::ErrorKind::InvalidData, error))
}

fn last_border(bytes: &[u8]) -> usize {
    match std::str::from_utf8(bytes) {
        Err(error) if error.error_len().is_none() => error.valid_up_to(),
        Ok(_) | Err(_) => bytes.len(),
    }
}

fn find(path: &Path, level: usize, into: &mut Vec<PathBuf>) -> anyhow::Result<()> {
    if !path.is_dir() {
        into.push(path.to_owned());
    } else if level < MOST_LEVELS {
        let unreadable = || format!("the folder {} cannot be read", path.display());
        let entries: std::io::Result<Vec<PathBuf>> =
            std::fs::read_dir(path).with_context(unreadable)?.map(|entry| entry.map(|it| it.path())).collect();
        let mut entries = entries.with_context(unreadable)?;
        entries.sort();
        let is_of_model = |path: &PathBuf| {
            path.is_dir() || path.extension().and_then(|it| it.to_str()).is_some_and(|it| EXTENSIONS.contains(&it))
        };
        for entry in entries.iter().filter(|entry| is_of_model(entry)) {
            find(entry, level + 1, into)?;
        }
    }
    if into.len() > MOST_FILES {
        bail!("there are more than {MOST_FILES} files: name the files of the model");
    }
    Ok(())
}
