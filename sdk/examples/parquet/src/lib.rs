//! parquet: an exporter of lens in Rust. It writes samples as Parquet or Arrow IPC, one row each.
//!
//! `abi` is the border to C, `exporter` has the operations, `columns` says what can be told of a
//! sample, `table` collects rows, `file` writes them. README.md explains the whole.

mod abi;
mod columns;
mod exporter;
mod file;
mod table;
mod words;

use abi::{lens_plugin, Static};

static PLUGIN: Static<lens_plugin> = Static(lens_plugin {
    magic: abi::LENS_HEAD_MAGIC,
    abi: abi::LENS_HEAD_ABI,
    abi_needs: abi::LENS_HEAD_NEEDS,
    struct_size: size_of::<lens_plugin>() as u32,
    kind: abi::LENS_KIND_OF_EXPORTER,
    name: c"parquet".as_ptr(),
    version: c"1.0.0".as_ptr(),
    summary: c"samples as Parquet or Arrow IPC, one row each".as_ptr(),
    ops: (&raw const exporter::EXPORTER).cast(),
    ..abi::zeroed()
});

/// The one symbol that lens looks for. It has no side effects; what it returns lives for ever.
#[no_mangle]
pub extern "C" fn lens_plugin_entry(_host_abi: u32) -> *const lens_plugin {
    &raw const PLUGIN.0
}
