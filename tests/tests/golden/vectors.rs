//! The files of golden vectors.

use std::path::Path;
use std::{fmt, fs};

/// A file of golden vectors.
pub(crate) struct Vectors {
    name: String,
    rows: Vec<Row>,
}

/// A line of it.
#[derive(Clone)]
pub(crate) struct Row {
    line: String,
}

impl Vectors {
    /// Reads one of the committed files.
    pub(crate) fn read(name: &str) -> Self {
        Self::read_path(&Path::new(env!("CARGO_MANIFEST_DIR")).join("golden").join(name))
    }

    /// Reads a file from anywhere.
    pub(crate) fn read_path(path: &Path) -> Self {
        let text = fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        assert!(text.ends_with('\n'), "{}: the last line is cut", path.display());
        let rows = text.lines().filter(|line| !line.starts_with('#'));
        Self {
            name: path.file_name().unwrap().to_string_lossy().into_owned(),
            rows: rows.map(|line| Row { line: line.to_owned() }).collect(),
        }
    }

    /// The rows whose first column is `keyword`; that there are `least` of them is what this test counts on,
    /// whatever the file says.
    pub(crate) fn rows(&self, keyword: &str, least: usize) -> Vec<Row> {
        let rows = self.all().filter(|row| row.column(0) == keyword);
        self.enough(keyword, rows.cloned().collect(), least)
    }

    /// The rows whose first column is not `keyword`, of which there are `least`.
    pub(crate) fn rows_but(&self, keyword: &str, least: usize) -> Vec<Row> {
        let rows = self.all().filter(|row| row.column(0) != keyword);
        self.enough("others", rows.cloned().collect(), least)
    }

    /// All rows.
    pub(crate) fn all(&self) -> impl Iterator<Item = &Row> {
        self.rows.iter()
    }

    fn enough(&self, what: &str, rows: Vec<Row>, least: usize) -> Vec<Row> {
        assert!(rows.len() >= least, "{}: {} {what}, of {least} at least", self.name, rows.len());
        eprintln!("golden: {}: {what}: {} vectors", self.name, rows.len());
        rows
    }
}

impl Row {
    /// A column, by its index.
    pub(crate) fn column(&self, index: usize) -> &str {
        self.line.split('\t').nth(index).unwrap_or_else(|| panic!("no column {index} in {self}"))
    }

    /// How many columns there are.
    pub(crate) fn width(&self) -> usize {
        self.line.split('\t').count()
    }

    /// A column that holds columns of its own, with commas between them.
    pub(crate) fn split(&self, index: usize) -> Self {
        Self { line: self.column(index).replace(',', "\t") }
    }

    /// A column that is bytes.
    pub(crate) fn bytes(&self, index: usize) -> Vec<u8> {
        bytes(self.column(index))
    }

    /// A column that is a number of any size; nothing if it does not fit 64 bits.
    pub(crate) fn number(&self, index: usize) -> Option<u64> {
        let digits = self.column(index);
        assert!(digits.bytes().all(|digit| digit.is_ascii_digit()) && !digits.is_empty(), "{self}");
        digits.parse().ok()
    }

    /// A column that is a text.
    pub(crate) fn text(&self, index: usize) -> String {
        serde_json::from_str(self.column(index)).unwrap_or_else(|error| panic!("{error}: {self}"))
    }
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.line)
    }
}

/// The bytes that a column stands for.
pub(crate) fn bytes(column: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    for part in column.split(' ').filter(|part| *part != "-") {
        let (digits, count) =
            part.split_once('*').map_or((part, 1), |(byte, count)| (byte, count.parse().unwrap()));
        let (pairs, odd) = digits.as_bytes().as_chunks::<2>();
        assert!(odd.is_empty(), "{column}");
        let pairs =
            pairs.iter().map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap());
        let pairs: Vec<u8> = pairs.collect();
        (0..count).for_each(|_| bytes.extend_from_slice(&pairs));
    }
    bytes
}

/// The column for bytes, as the script writes it.
pub(crate) fn hexed(bytes: &[u8]) -> String {
    let mut parts = vec![String::new()];
    for run in bytes.chunk_by(|a, b| a == b) {
        let byte = format!("{:02x}", run[0]);
        if run.len() > 16 {
            parts.extend([format!("{byte}*{}", run.len()), String::new()]);
        } else {
            parts.last_mut().unwrap().push_str(&byte.repeat(run.len()));
        }
    }
    parts.retain(|part| !part.is_empty());
    if parts.is_empty() { "-".into() } else { parts.join(" ") }
}
