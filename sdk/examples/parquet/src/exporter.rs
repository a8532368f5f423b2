//! The operations: functions of C that find the instance, and the instance itself.

use std::ffi::c_void;
use std::path::Path;

use crate::abi::{self, lens_delivery, lens_exporter, lens_host, lens_option, lens_run};
use crate::abi::{lens_sample, lens_schema, lens_status, lens_summary, Failure, Host, Static};
use crate::columns::{self, Column, Run};
use crate::file::{Format, Output, Temporary};
use crate::table::Table;

struct Exporter {
    host: Host,
    columns: Vec<Column>,
    format: Format,
    group: usize,
    temporary: Temporary,
    /// From `begin` to `end`.
    rows: Option<(Table, Output)>,
}

impl Exporter {
    fn open(host: Host) -> Result<Self, Failure> {
        let path = host.string(c"path").unwrap_or_default();
        Ok(Self {
            columns: columns::choose(host.string(c"columns").as_deref())?,
            format: choose_format(host, &path)?,
            group: host.integer(c"row_group") as usize,
            temporary: Temporary::new(Path::new(&path))?,
            rows: None,
            host,
        })
    }

    /// A file with a footer cannot be gone on with: all samples come again.
    fn begin(&mut self, run: Run, resumed: u64) -> Result<(), Failure> {
        self.rows = None;
        if resumed > 0 {
            return Err(Failure::new(abi::LENS_E_UNSUPPORTED, "the file is written anew"));
        }
        let table = Table::new(run, &self.columns);
        let schema = table.schema.clone();
        let output = Output::new(&mut self.temporary, schema, self.format, self.group)?;
        self.rows = Some((table, output));
        Ok(())
    }

    fn add(&mut self, sample: &lens_sample) -> Result<(), Failure> {
        let (table, output) = self.rows.as_mut().ok_or_else(ended)?;
        table.add(sample);
        if table.rows() >= output.batch_rows {
            output.write(&batch(table)?, &self.temporary)?;
        }
        Ok(())
    }

    fn end(&mut self) -> Result<(), Failure> {
        let (mut table, mut output) = self.rows.take().ok_or_else(ended)?;
        if table.rows() > 0 {
            output.write(&batch(&mut table)?, &self.temporary)?;
        }
        output.finish(&self.temporary)
    }
}

fn batch(table: &mut Table) -> Result<arrow::array::RecordBatch, Failure> {
    table.take().map_err(|error| Failure::new(abi::LENS_E_FAILED, error.to_string()))
}

/// After a failure: what was written is torn.
fn ended() -> Failure {
    Failure::new(abi::LENS_E_IO, "the file is not open any more")
}

/// By its option, else by the file's ending.
fn choose_format(host: Host, path: &str) -> Result<Format, Failure> {
    let ending = Path::new(path).extension().and_then(|e| e.to_str()).unwrap_or_default();
    let compression = host.string(c"compression");
    let arrow = match host.string(c"format").as_deref() {
        Some(format) => format == "arrow",
        None => matches!(ending, "arrow" | "feather" | "ipc"),
    };
    match (arrow, compression.as_deref()) {
        (true, Some("snappy")) => {
            let text = "option compression: Arrow IPC has no snappy, expected none";
            Err(Failure::new(abi::LENS_E_CONFIG, text))
        }
        (true, _) => Ok(Format::Arrow),
        (false, compression) => Ok(Format::Parquet { snappy: compression != Some("none") }),
    }
}

// ---- functions of C ----
//
// The host enters an instance by one thread at a time, so `&mut` is right; `self` is what `open`
// handed out, and comes back for the last time in `close`.

unsafe fn instance<'a>(self_: *mut c_void) -> &'a mut Exporter {
    unsafe { &mut *self_.cast::<Exporter>() }
}

/// Runs an operation of an instance. After a failure, or a panic, there is no file to go on with.
unsafe fn operate(
    self_: *mut c_void,
    body: impl FnOnce(&mut Exporter) -> Result<(), Failure>,
) -> lens_status {
    let exporter = unsafe { instance(self_) };
    let host = exporter.host;
    let status = host.run(|| body(exporter));
    if status < 0 {
        unsafe { instance(self_) }.rows = None;
    }
    status
}

unsafe extern "C" fn open(host: *const lens_host, ret_self: *mut *mut c_void) -> lens_status {
    let host = unsafe { Host::new(host) };
    host.run(|| {
        let exporter = Box::new(Exporter::open(host)?);
        unsafe { *ret_self = Box::into_raw(exporter).cast() };
        Ok(())
    })
}

unsafe extern "C" fn close(self_: *mut c_void) {
    let host = unsafe { instance(self_) }.host;
    host.run(|| {
        drop(unsafe { Box::from_raw(self_.cast::<Exporter>()) });
        Ok(())
    });
}

unsafe extern "C" fn begin(self_: *mut c_void, run: *const lens_run, resumed: u64) -> lens_status {
    unsafe { operate(self_, |exporter| exporter.begin(Run::new(&*run), resumed)) }
}

unsafe extern "C" fn samples(
    self_: *mut c_void,
    batch: *const *const lens_sample,
    count: u64,
    delivery: *mut lens_delivery,
) -> lens_status {
    let status = unsafe {
        operate(self_, |exporter| {
            (0..count as usize).try_for_each(|nth| exporter.add(&**batch.add(nth)))
        })
    };
    unsafe { answer(delivery, status, count) }
}

unsafe extern "C" fn end(
    self_: *mut c_void,
    _summary: *const lens_summary,
    delivery: *mut lens_delivery,
) -> lens_status {
    let status = unsafe { operate(self_, Exporter::end) };
    unsafe { answer(delivery, status, 1) }
}

/// A torn file is not gone on with in this run; `lens export` writes it anew.
unsafe fn answer(delivery: *mut lens_delivery, status: lens_status, count: u64) -> lens_status {
    let delivery = unsafe { &mut *delivery };
    if status < 0 {
        delivery.verdict = abi::LENS_DELIVERY_GIVE_UP;
    } else {
        delivery.verdict = abi::LENS_DELIVERY_OK;
        delivery.delivered_prefix = count;
    }
    status
}

// ---- descriptors ----

static OPTIONS: Static<[lens_option; 5]> = Static([
    lens_option {
        name: c"path".as_ptr(),
        type_: abi::LENS_OPT_PATH,
        flags: abi::LENS_OPT_REQUIRED,
        help: c"file to write; it is there, whole, at the end".as_ptr(),
        ..abi::zeroed()
    },
    lens_option {
        name: c"format".as_ptr(),
        type_: abi::LENS_OPT_CHOICE,
        choices: c"parquet|arrow".as_ptr(),
        help: c"unset: arrow for a path that ends in .arrow, .feather or .ipc, else parquet"
            .as_ptr(),
        ..abi::zeroed()
    },
    lens_option {
        name: c"columns".as_ptr(),
        type_: abi::LENS_OPT_STRING,
        help: c"which columns in which order, a+b; unset: all but long texts".as_ptr(),
        ..abi::zeroed()
    },
    lens_option {
        name: c"row_group".as_ptr(),
        type_: abi::LENS_OPT_INT,
        fallback: c"65536".as_ptr(),
        choices: c"1..10000000".as_ptr(),
        unit: c"rows".as_ptr(),
        help: c"rows of a row group of Parquet, or of a record batch of Arrow".as_ptr(),
        ..abi::zeroed()
    },
    lens_option {
        name: c"compression".as_ptr(),
        type_: abi::LENS_OPT_CHOICE,
        choices: c"none|snappy".as_ptr(),
        help: c"unset: snappy for Parquet, none for Arrow".as_ptr(),
        ..abi::zeroed()
    },
]);

pub static EXPORTER: Static<lens_exporter> = Static(lens_exporter {
    struct_size: size_of::<lens_exporter>() as u32,
    flags: abi::LENS_EXPORT_SAMPLES | abi::LENS_EXPORT_IDEMPOTENT | abi::LENS_EXPORT_NO_MARKS,
    options: lens_schema {
        items: (&raw const OPTIONS.0).cast(),
        count: OPTIONS_COUNT,
        item_size: size_of::<lens_option>() as u32,
    },
    open: Some(open),
    close: Some(close),
    begin: Some(begin),
    samples: Some(samples),
    end: Some(end),
    ..abi::zeroed()
});

const OPTIONS_COUNT: u32 = 5;
