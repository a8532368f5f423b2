//! The file: rows go into a temporary one beside it, which gets its footer and its name at the end.
//! Nobody ever sees a file without its footer.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Seek, Write};
use std::path::{Path, PathBuf};
use std::process;
use std::sync::atomic::{AtomicU32, Ordering};

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use arrow::ipc::writer::FileWriter;
use parquet::arrow::ArrowWriter;
use parquet::basic::Compression;
use parquet::file::properties::WriterProperties;

use crate::abi::{Failure, LENS_E_CONFIG, LENS_E_IO};

#[derive(Clone, Copy, PartialEq)]
pub enum Format {
    Parquet { snappy: bool },
    Arrow,
}

/// A file that is gone again unless it is renamed.
pub struct Temporary {
    file: File,
    path: PathBuf,
    goal: PathBuf,
}

/// Tells instances of one process apart.
static COUNT: AtomicU32 = AtomicU32::new(0);

impl Temporary {
    pub fn new(goal: &Path) -> Result<Self, Failure> {
        let refuse = |why: String| {
            Failure::new(LENS_E_CONFIG, format!("cannot write {}: {why}", goal.display()))
        };
        if fs::metadata(goal).is_ok_and(|found| !found.is_file()) || goal == Path::new("-") {
            return Err(refuse("not a regular file; a footer needs one".into()));
        }
        let nth = COUNT.fetch_add(1, Ordering::Relaxed);
        let mut path = goal.as_os_str().to_owned();
        path.push(format!(".{}-{nth}.tmp", process::id()));
        let path = PathBuf::from(path);
        let file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .open(&path)
            .map_err(|error| refuse(error.to_string()))?;
        Ok(Self { file, path, goal: goal.to_owned() })
    }

    fn keep(&self) -> io::Result<()> {
        self.file.sync_all()?;
        fs::rename(&self.path, &self.goal)
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path); // gone already where it was renamed
    }
}

enum Writer {
    Parquet(Box<ArrowWriter<File>>),
    Arrow(Box<FileWriter<BufWriter<File>>>),
}

pub struct Output {
    writer: Writer,
    /// Rows of one batch.
    pub batch_rows: usize,
}

/// Rows that Parquet's writer takes at once; it encodes them and keeps them until a row group is full.
const PARQUET_BATCH: usize = 8192;

impl Output {
    /// Starts anew in `to`; `group` rows make a row group, or a record batch of Arrow.
    pub fn new(
        to: &mut Temporary,
        schema: SchemaRef,
        format: Format,
        group: usize,
    ) -> Result<Self, Failure> {
        let start = || -> Result<Self, Box<dyn std::error::Error>> {
            to.file.set_len(0)?;
            to.file.rewind()?;
            let file = to.file.try_clone()?;
            let Format::Parquet { snappy } = format else {
                let writer = FileWriter::try_new(BufWriter::new(file), &schema)?;
                return Ok(Self { writer: Writer::Arrow(Box::new(writer)), batch_rows: group });
            };
            let how = WriterProperties::builder()
                .set_compression(if snappy {
                    Compression::SNAPPY
                } else {
                    Compression::UNCOMPRESSED
                })
                .set_max_row_group_size(group)
                .build();
            let writer = ArrowWriter::try_new(file, schema, Some(how))?;
            let batch_rows = group.min(PARQUET_BATCH);
            Ok(Self { writer: Writer::Parquet(Box::new(writer)), batch_rows })
        };
        start().map_err(|error| cannot_write(&to.path, error))
    }

    pub fn write(&mut self, rows: &RecordBatch, to: &Temporary) -> Result<(), Failure> {
        match &mut self.writer {
            Writer::Parquet(writer) => writer.write(rows).map_err(|e| cannot_write(&to.path, e)),
            Writer::Arrow(writer) => writer.write(rows).map_err(|e| cannot_write(&to.path, e)),
        }
    }

    /// The footer, and the file's name.
    pub fn finish(self, to: &Temporary) -> Result<(), Failure> {
        match self.writer {
            Writer::Parquet(writer) => {
                writer.close().map(drop).map_err(|e| cannot_write(&to.path, e))?;
            }
            Writer::Arrow(mut writer) => {
                writer.finish().map_err(|e| cannot_write(&to.path, e))?;
                writer.get_mut().flush().map_err(|e| cannot_write(&to.path, e))?;
            }
        }
        to.keep().map_err(|error| cannot_write(&to.goal, error))
    }
}

fn cannot_write(path: &Path, why: impl std::fmt::Display) -> Failure {
    Failure::new(LENS_E_IO, format!("cannot write {}: {why}", path.display()))
}
