//! Reads the files that the configuration names.
//!
//! Invariant: only a regular file is opened, or a link to one. Opening a named pipe waits for its writer: the task that watches the
//! files would wait for ever, and the process would not stop.

use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, Read as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

/// Opens a file for reading.
pub fn open(path: &Path) -> io::Result<File> {
    // Before it is opened, because opening a device can have an effect; and afterwards, because it may have been replaced.
    refuse_others(&std::fs::metadata(path)?)?;
    let file = OpenOptions::new().read(true).custom_flags(libc::O_NONBLOCK).open(path)?;
    refuse_others(&file.metadata()?)?;
    Ok(file)
}

pub fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    open(path)?.read_to_end(&mut bytes)?;
    Ok(bytes)
}

pub fn read_to_string(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    open(path)?.read_to_string(&mut text)?;
    Ok(text)
}

/// As [`read`], without blocking the runtime.
pub async fn read_in_background(path: PathBuf) -> io::Result<Vec<u8>> {
    tokio::task::spawn_blocking(move || read(&path)).await.map_err(io::Error::other)?
}

fn refuse_others(metadata: &std::fs::Metadata) -> io::Result<()> {
    if metadata.is_file() {
        return Ok(());
    }
    let problem = if metadata.is_dir() { "it is a folder" } else { "it is not a regular file" };
    Err(io::Error::new(ErrorKind::InvalidInput, problem))
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    #[test]
    fn a_named_pipe_a_device_and_a_folder_are_refused_without_waiting() {
        let folder = tempfile::tempdir().unwrap();
        let pipe = folder.path().join("b.ts");
        assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        let link = folder.path().join("link.ts");
        std::os::unix::fs::symlink(&pipe, &link).unwrap();
        for path in [&pipe, &link, Path::new("/dev/zero")] {
            assert_eq!(read(path).unwrap_err().to_string(), "it is not a regular file", "{}", path.display());
        }
        assert_eq!(read_to_string(folder.path()).unwrap_err().to_string(), "it is a folder");
    }

    #[test]
    fn a_regular_file_and_a_link_to_one_are_read() {
        let folder = tempfile::tempdir().unwrap();
        let (file, link) = (folder.path().join("a.ts"), folder.path().join("link.ts"));
        std::fs::write(&file, "class User implements Namespace {}").unwrap();
        std::os::unix::fs::symlink(&file, &link).unwrap();
        for path in [&file, &link] {
            assert_eq!(read_to_string(path).unwrap(), "class User implements Namespace {}");
        }
        assert_eq!(read(&folder.path().join("c.ts")).unwrap_err().kind(), ErrorKind::NotFound);
    }
}
