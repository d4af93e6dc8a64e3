//! Telling whether two trees are the same.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fmt;
use std::fs::{self, File, Metadata};
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// How much of two files is compared at once.
const PIECE: usize = 64 << 10;

/// In what two trees differ.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Difference {
    /// Where, from the root.
    pub path: PathBuf,
    /// In what.
    pub aspect: Aspect,
}

/// In what two files can differ.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Aspect {
    /// Only one tree has it.
    Presence,
    /// It is a file here and a directory there, say.
    Kind,
    /// The bytes of a file.
    Content,
    /// Where a link points to.
    Target,
    /// The permission bits.
    Permissions,
    /// The time of the last change.
    Time,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let aspect = match self.aspect {
            Aspect::Presence => "presence",
            Aspect::Kind => "kind",
            Aspect::Content => "content",
            Aspect::Target => "target",
            Aspect::Permissions => "permissions",
            Aspect::Time => "time of change",
        };
        write!(f, "{}: {aspect}", self.path.display())
    }
}

/// A file that cannot be compared.
#[derive(Debug, thiserror::Error)]
#[error("cannot compare {}", path.display())]
pub struct CompareError {
    /// Where, from the root.
    pub path: PathBuf,
    /// Why not.
    pub source: io::Error,
}

/// Compares two trees byte for byte; all differences, in order. What is named in `leave_out` is not
/// looked at in either root, nor are sockets, pipes and devices.
///
/// Blocks.
///
/// # Errors
///
/// When a part of either cannot be read.
pub fn compare(left: &Path, right: &Path, leave_out: &[OsString]) -> Result<Vec<Difference>, CompareError> {
    let mut comparison = Comparison { left, right, differences: Vec::new(), ahead: vec![PathBuf::new()] };
    while let Some(path) = comparison.ahead.pop() {
        let leave_out = if path.as_os_str().is_empty() { leave_out } else { &[] };
        comparison.entry(&path, leave_out).map_err(|source| CompareError { path, source })?;
    }
    comparison.differences.sort();
    Ok(comparison.differences)
}

struct Comparison<'a> {
    left: &'a Path,
    right: &'a Path,
    differences: Vec<Difference>,
    /// What is still to be compared.
    ahead: Vec<PathBuf>,
}

impl Comparison<'_> {
    fn entry(&mut self, path: &Path, leave_out: &[OsString]) -> io::Result<()> {
        let (left, right) = (self.left.join(path), self.right.join(path));
        let (here, there) = (present(&left)?, present(&right)?);
        let (Some(here), Some(there)) = (&here, &there) else {
            self.check(here.is_none() && there.is_none(), path, Aspect::Presence);
            return Ok(());
        };
        if here.file_type() != there.file_type() {
            self.check(false, path, Aspect::Kind);
            return Ok(());
        }
        if here.is_dir() {
            self.ahead.extend(names(&left, &right, leave_out)?.into_iter().map(|name| path.join(name)));
        } else if here.is_file() {
            self.check(here.len() == there.len() && same_content(&left, &right)?, path, Aspect::Content);
        } else {
            self.check(fs::read_link(left)? == fs::read_link(right)?, path, Aspect::Target);
        }
        self.check(here.mode() == there.mode(), path, Aspect::Permissions);
        let time = |metadata: &Metadata| (metadata.mtime(), metadata.mtime_nsec());
        self.check(time(here) == time(there), path, Aspect::Time);
        Ok(())
    }

    fn check(&mut self, same: bool, path: &Path, aspect: Aspect) {
        if !same {
            self.differences.push(Difference { path: path.to_owned(), aspect });
        }
    }
}

/// What there is of the kinds that are compared.
fn present(path: &Path) -> io::Result<Option<Metadata>> {
    match path.symlink_metadata() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
        Ok(metadata) => {
            let kind = metadata.file_type();
            Ok((kind.is_dir() || kind.is_file() || kind.is_symlink()).then_some(metadata))
        }
    }
}

/// The names in either directory.
fn names(left: &Path, right: &Path, leave_out: &[OsString]) -> io::Result<BTreeSet<OsString>> {
    let mut names = BTreeSet::new();
    for entry in fs::read_dir(left)?.chain(fs::read_dir(right)?) {
        let name = entry?.file_name();
        if !leave_out.contains(&name) {
            names.insert(name);
        }
    }
    Ok(names)
}

fn same_content(left: &Path, right: &Path) -> io::Result<bool> {
    let (mut left, mut right) = (File::open(left)?, File::open(right)?);
    let (mut here, mut there) = (Vec::with_capacity(PIECE), Vec::with_capacity(PIECE));
    loop {
        here.clear();
        there.clear();
        left.by_ref().take(PIECE as u64).read_to_end(&mut here)?;
        right.by_ref().take(PIECE as u64).read_to_end(&mut there)?;
        if here != there {
            return Ok(false);
        }
        if here.is_empty() {
            return Ok(true);
        }
    }
}
