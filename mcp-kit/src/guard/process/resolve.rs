//! Finds the program that a name means, once, and refuses what would run a shell.

use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};

/// What makes a program read an argument as an option. Windows maps some dashes to `-` where a
/// program takes its arguments in an old encoding.
#[cfg(not(windows))]
pub(super) const OPTION_MARKS: &[char] = &['-'];
#[cfg(windows)]
pub(super) const OPTION_MARKS: &[char] = &[
    '-', '/', '\u{AD}', '\u{2010}', '\u{2011}', '\u{2012}', '\u{2013}', '\u{2014}', '\u{2015}',
    '\u{2212}', '\u{FF0D}', '\u{FF0F}',
];

/// Programs whose arguments are code.
const SHELLS: &[&str] = &[
    "ash",
    "bash",
    "bosh",
    "bsh",
    "cmd",
    "command",
    "csh",
    "dash",
    "elvish",
    "fish",
    "hush",
    "ksh",
    "lksh",
    "mksh",
    "nu",
    "nushell",
    "oksh",
    "osh",
    "pdksh",
    "posh",
    "powershell",
    "pwsh",
    "rbash",
    "rksh",
    "rzsh",
    "sash",
    "sh",
    "tcsh",
    "xonsh",
    "yash",
    "ysh",
    "zsh",
];

/// Programs whose first argument names the program to run, a shell among them.
const LAUNCHERS: &[&str] = &["env"];

/// Launchers that do so only under this name. A link to one, as `ls` on Alpine, is the program
/// that the link is named after.
const MULTI_CALL: &[&str] = &["busybox", "coreutils", "toybox"];

pub(super) fn resolve(program: &OsStr, path: &OsStr) -> io::Result<PathBuf> {
    let given = Path::new(program);
    let found = if given.is_absolute() {
        usable(given.to_owned())?
    } else if given.components().count() == 1 && given.file_name() == Some(program) {
        find(given, path)?
    } else {
        return Err(refused(
            given,
            "write its absolute path, or its name alone to look it up in PATH",
        ));
    };
    // A link to a shell is a shell. What is run is the path as given: some programs look at the
    // name that they are run by.
    let target = found.canonicalize();
    let target = target.as_ref().unwrap_or(&found);
    if is_one_of(SHELLS, &found) || is_one_of(SHELLS, target) {
        return Err(refused(
            given,
            "it is a shell, which would interpret its arguments: run the program itself, or a \
             script file that begins with `#!`",
        ));
    }
    let launchers = is_one_of(LAUNCHERS, &found) || is_one_of(LAUNCHERS, target);
    if launchers || is_one_of(MULTI_CALL, &found) {
        return Err(refused(
            given,
            "it runs the program that its arguments name: run that program itself",
        ));
    }
    Ok(found)
}

/// Whether the file has one of these names, or one with a version: `bash-5.2`, `ksh93`, `zsh-static`.
fn is_one_of(names: &[&str], file: &Path) -> bool {
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    let mut name = name.to_ascii_lowercase();
    for extension in [".exe", ".com"] {
        if let Some(stem) = name.strip_suffix(extension) {
            name.truncate(stem.len());
        }
    }
    names.iter().any(|one| {
        let Some(rest) = name.strip_prefix(one) else {
            return false;
        };
        let version = rest.trim_start_matches(['-', '.', '_']);
        rest.is_empty()
            || version.starts_with(|first: char| first.is_ascii_digit())
            || matches!(version, "static" | "preview")
    })
}

fn find(name: &Path, path: &OsStr) -> io::Result<PathBuf> {
    // A relative folder would be another one wherever the server is started.
    let folders = std::env::split_paths(path).filter(|folder| folder.is_absolute());
    let mut first = None;
    for folder in folders {
        let mut file = folder.join(name);
        if cfg!(windows) && file.extension().is_none() {
            file.set_extension("exe");
        }
        match usable(file) {
            Ok(found) => return Ok(found),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => first = first.or(Some(error)),
        }
    }
    Err(first.unwrap_or_else(|| {
        let text = format!(
            "cannot run the program {}: it is in no folder of PATH ({})",
            name.display(),
            path.display()
        );
        io::Error::new(io::ErrorKind::NotFound, text)
    }))
}

/// The file, if the system can run it without a shell.
fn usable(file: PathBuf) -> io::Result<PathBuf> {
    let metadata = std::fs::metadata(&file).map_err(|error| {
        let text = format!("cannot run the program {}: {error}", file.display());
        io::Error::new(error.kind(), text)
    })?;
    if !metadata.is_file() {
        return Err(refused(&file, "it is not a file"));
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;

        if metadata.permissions().mode() & 0o111 == 0 {
            return Err(refused(&file, "it is not executable: see `chmod +x`"));
        }
    }
    #[cfg(windows)]
    {
        let extension = file.extension().unwrap_or_default().to_ascii_lowercase();
        if extension != "exe" && extension != "com" {
            return Err(refused(
                &file,
                "only `.exe` and `.com` files run without a shell",
            ));
        }
    }
    Ok(file)
}

fn refused(program: &Path, why: &str) -> io::Error {
    let text = format!("cannot run the program {}: {why}", program.display());
    io::Error::new(io::ErrorKind::InvalidInput, text)
}
