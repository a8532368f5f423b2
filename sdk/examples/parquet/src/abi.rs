//! The border to C: bindings of the headers, and what makes them safe to use. Everything unsafe
//! that is not about one exporter stands here.

#![allow(non_camel_case_types, non_upper_case_globals, dead_code)]

use std::borrow::Cow;
use std::ffi::{c_char, CStr, CString};
use std::panic::{catch_unwind, AssertUnwindSafe};

include!(concat!(env!("OUT_DIR"), "/bindings.rs"));

/// Data that only C reads: descriptors never change, so every thread may see them.
#[repr(transparent)]
pub struct Static<T>(pub T);
unsafe impl<T> Sync for Static<T> {}

/// A struct of C with all members zero: what a newer header appends is then unset.
pub const fn zeroed<T: Copy>() -> T {
    // Only for structs of the ABI: integers, raw pointers and `Option` of functions.
    unsafe { std::mem::zeroed() }
}

/// Text of C; `None` where it is NULL. It lives as long as its owner says, never longer than `'a`.
///
/// # Safety
/// `text` is NULL or ends with a zero byte, and stays as it is for `'a`.
pub unsafe fn text<'a>(text: *const c_char) -> Option<Cow<'a, str>> {
    (!text.is_null()).then(|| unsafe { CStr::from_ptr(text) }.to_string_lossy())
}

/// The items of an array that tells how far apart they are: a newer host's are longer.
///
/// # Safety
/// `first` points to `count` items, `stride` bytes apart, that live for `'a`.
pub unsafe fn items<'a, T>(first: *const T, count: u32, stride: u32) -> impl Iterator<Item = &'a T>
where
    T: 'a,
{
    (0..count as usize)
        .map(move |nth| unsafe { &*first.cast::<u8>().add(nth * stride as usize).cast::<T>() })
}

/// Why an operation fails.
pub struct Failure {
    pub status: lens_status,
    pub text: String,
}

impl Failure {
    pub fn new(status: lens_status, text: impl Into<String>) -> Self {
        let text = text.into();
        Self { status, text }
    }
}

/// The host of one instance; valid from `open` to the end of `close`, and only inside operations.
#[derive(Clone, Copy)]
pub struct Host(*const lens_host);

impl Host {
    /// # Safety
    /// `host` is what the host gave to `open` of this instance.
    pub unsafe fn new(host: *const lens_host) -> Self {
        Self(host)
    }

    fn table(&self) -> &lens_host {
        unsafe { &*self.0 }
    }

    pub fn fail(&self, failure: &Failure) -> lens_status {
        let text = CString::new(failure.text.replace('\0', " ")).unwrap_or_default();
        match self.table().fail {
            Some(fail) => unsafe { fail(self.0, failure.status, text.as_ptr()) },
            None => failure.status,
        }
    }

    /// An option of the kinds that are read as text.
    pub fn string(&self, name: &CStr) -> Option<String> {
        let value = unsafe { self.table().opt_string?(self.0, name.as_ptr(), 0) };
        unsafe { text(value) }.map(Cow::into_owned)
    }

    /// An option of the kinds that are read as a number.
    pub fn integer(&self, name: &CStr) -> i64 {
        match self.table().opt_int {
            Some(read) => unsafe { read(self.0, name.as_ptr()) },
            None => 0,
        }
    }

    /// Runs an operation. A failure is told, and a panic is one: it must not reach C.
    pub fn run(&self, body: impl FnOnce() -> Result<(), Failure>) -> lens_status {
        match catch_unwind(AssertUnwindSafe(body)) {
            Ok(Ok(())) => LENS_OK as lens_status,
            Ok(Err(failure)) => self.fail(&failure),
            Err(panic) => {
                std::mem::forget(panic); // its own drop might panic again
                self.fail(&Failure::new(LENS_E_FAILED, "the plugin panicked, see above"))
            }
        }
    }
}
