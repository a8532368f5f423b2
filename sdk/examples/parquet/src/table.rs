//! Rows on their way into a file: one builder of Arrow for each column.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanBuilder, Float64Builder, Int64Builder, RecordBatch, StringBuilder,
    TimestampNanosecondBuilder, UInt64Builder,
};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use arrow::error::ArrowError;

use crate::abi::lens_sample;
use crate::columns::{Column, Read, Run};

enum Builder {
    Text(StringBuilder),
    Count(UInt64Builder),
    Integer(Int64Builder),
    Number(Float64Builder),
    Flag(BooleanBuilder),
    Time(TimestampNanosecondBuilder),
}

impl Builder {
    fn new(read: &Read) -> Self {
        match read {
            Read::Text(_) => Self::Text(StringBuilder::new()),
            Read::Count(_) => Self::Count(UInt64Builder::new()),
            Read::Integer(_) => Self::Integer(Int64Builder::new()),
            Read::Number(_) => Self::Number(Float64Builder::new()),
            Read::Flag(_) => Self::Flag(BooleanBuilder::new()),
            Read::Time(_) => Self::Time(TimestampNanosecondBuilder::new().with_timezone("UTC")),
        }
    }

    fn add(&mut self, read: &Read, sample: &lens_sample, run: &Run) {
        match (self, read) {
            (Self::Text(to), Read::Text(of)) => to.append_option(of(sample, run)),
            (Self::Count(to), Read::Count(of)) => to.append_option(of(sample)),
            (Self::Integer(to), Read::Integer(of)) => to.append_option(of(sample)),
            (Self::Number(to), Read::Number(of)) => to.append_option(of(sample)),
            (Self::Flag(to), Read::Flag(of)) => to.append_option(of(sample)),
            (Self::Time(to), Read::Time(of)) => to.append_option(of(sample)),
            _ => unreachable!("a builder is made for its column"),
        }
    }

    fn finish(&mut self) -> ArrayRef {
        match self {
            Self::Text(of) => Arc::new(of.finish()),
            Self::Count(of) => Arc::new(of.finish()),
            Self::Integer(of) => Arc::new(of.finish()),
            Self::Number(of) => Arc::new(of.finish()),
            Self::Flag(of) => Arc::new(of.finish()),
            Self::Time(of) => Arc::new(of.finish()),
        }
    }
}

fn data_type(read: &Read) -> DataType {
    match read {
        Read::Text(_) => DataType::Utf8,
        Read::Count(_) => DataType::UInt64,
        Read::Integer(_) => DataType::Int64,
        Read::Number(_) => DataType::Float64,
        Read::Flag(_) => DataType::Boolean,
        Read::Time(_) => DataType::Timestamp(TimeUnit::Nanosecond, Some("UTC".into())),
    }
}

pub struct Table {
    run: Run,
    columns: Vec<(Column, Builder)>,
    pub schema: SchemaRef,
    rows: usize,
}

impl Table {
    /// What the run is stands in the schema's metadata.
    pub fn new(run: Run, columns: &[Column]) -> Self {
        let about = HashMap::from([
            ("lens.schema".into(), "lens.parquet/1".into()),
            ("lens.run".into(), run.id.clone()),
            ("lens.version".into(), run.version.clone()),
            ("lens.start_unix_ns".into(), run.start_unix_ns.to_string()),
            ("lens.plan".into(), run.plan.clone()),
        ]);
        let fields: Vec<_> =
            columns.iter().map(|c| Field::new(c.name, data_type(&c.read), true)).collect();
        Self {
            run,
            columns: columns.iter().map(|c| (*c, Builder::new(&c.read))).collect(),
            schema: Arc::new(Schema::new_with_metadata(fields, about)),
            rows: 0,
        }
    }

    pub fn rows(&self) -> usize {
        self.rows
    }

    pub fn add(&mut self, sample: &lens_sample) {
        for (column, builder) in &mut self.columns {
            builder.add(&column.read, sample, &self.run);
        }
        self.rows += 1;
    }

    /// All rows since the last time.
    pub fn take(&mut self) -> Result<RecordBatch, ArrowError> {
        let arrays = self.columns.iter_mut().map(|(_, builder)| builder.finish()).collect();
        self.rows = 0;
        RecordBatch::try_new(self.schema.clone(), arrays)
    }
}
