//! Files and folders that are named in a command line, and the files of a permission model.
//!
//! Invariant: what is read is bounded in bytes, files and depth.

use std::io::Read;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use permission_language::{Limits, SourceFile};

/// The extensions of the files of a folder.
const EXTENSIONS: [&str; 2] = ["ts", "opl"];

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
    let is_of_model =
        |path: &Path| path.extension().and_then(|it| it.to_str()).is_some_and(|it| EXTENSIONS.contains(&it));
    let files = find_all(paths, is_of_model)?;
    if files.is_empty() {
        bail!("no file ends in .ts or .opl: name the files of the model");
    }
    files.iter().map(|path| read(path)).collect()
}

/// The files, and those files of the folders that are wanted, as the service reads a folder.
pub(super) fn find_all(paths: &[PathBuf], is_wanted: impl Fn(&Path) -> bool) -> anyhow::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for path in paths {
        if path.is_dir() {
            files.extend(permissions::files_below(path, &is_wanted)?);
        } else {
            files.push(path.clone());
        }
    }
    Ok(files)
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

/// A text over the bound stays over it, so that it is refused and not read in part: also without the character that ends beyond
/// the last byte.
fn read_bounded(from: impl Read) -> std::io::Result<String> {
    let most = Limits::default().file_bytes as u64 + 4;
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_over_the_bound_stays_over_it_at_every_border_of_a_character() {
        let most = Limits::default().file_bytes;
        for (before, end) in [(most, "x"), (most, "\u{e9}"), (most, "\u{1f512}"), (most - 1, "\u{1f512}")] {
            let text = "x".repeat(before) + end;
            assert!(read_bounded(text.as_bytes()).unwrap().len() > most, "{before} {end}");
        }
        assert_eq!(read_bounded("x".repeat(most).as_bytes()).unwrap().len(), most);
    }

    #[test]
    fn a_folder_is_read_as_the_service_reads_it() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["model.ts", "more.opl", "notes.md", ".hidden.ts"] {
            std::fs::write(folder.path().join(name), "").unwrap();
        }
        let names = |paths: &[PathBuf]| -> Vec<String> {
            let name = |file: ModelFile| file.path.file_name().unwrap().to_string_lossy().into_owned();
            read_all(paths).unwrap().into_iter().map(name).collect()
        };
        let notes = folder.path().join("notes.md");
        assert_eq!(names(&[notes, folder.path().to_owned()]), ["notes.md", "model.ts", "more.opl"]);
    }
}
