//! What can be told of a sample: one table of names, types and formulas (docs/metrics.md). Names are
//! those of the columns of `csv`. What is not known is `None`, and null in the file.

use std::borrow::Cow;

use crate::abi::{self, items, lens_run, lens_sample, text, Failure};
use crate::words;

/// What is kept of a run; the host's is gone after `begin`.
#[derive(Default)]
pub struct Run {
    pub id: String,
    pub version: String,
    pub start_unix_ns: i64,
    pub plan: String,
    targets: Vec<Target>,
    stages: Vec<String>,
}

struct Target {
    name: String,
    provider: String,
    api: String,
    model: String,
}

impl Run {
    /// # Safety
    /// `run` is what the host gave to `begin`.
    pub unsafe fn new(run: &lens_run) -> Self {
        let own = |c| unsafe { text(c) }.unwrap_or_default().into_owned();
        Self {
            id: own(run.id),
            version: own(run.version),
            start_unix_ns: run.start_unix_ns,
            plan: own(run.plan_json),
            targets: unsafe { items(run.targets, run.target_count, run.target_size) }
                .map(|t| Target {
                    name: own(t.name),
                    provider: own(t.provider),
                    api: own(t.api),
                    model: own(t.model),
                })
                .collect(),
            stages: unsafe { items(run.stages, run.stage_count, run.stage_size) }
                .map(|s| own(s.name))
                .collect(),
        }
    }
}

type Text<'a> = Option<Cow<'a, str>>;

#[derive(Clone, Copy)]
pub enum Read {
    Text(for<'a> fn(&'a lens_sample, &'a Run) -> Text<'a>),
    Count(fn(&lens_sample) -> Option<u64>),
    Integer(fn(&lens_sample) -> Option<i64>),
    Number(fn(&lens_sample) -> Option<f64>),
    Flag(fn(&lens_sample) -> Option<bool>),
    /// Nanoseconds since 1970, UTC.
    Time(fn(&lens_sample) -> Option<i64>),
}

#[derive(Clone, Copy)]
pub struct Column {
    pub name: &'static str,
    /// Not there unless it is asked for.
    pub extra: bool,
    pub read: Read,
}

/// The columns of `columns=a+b`; `None`: the usual ones.
pub fn choose(list: Option<&str>) -> Result<Vec<Column>, Failure> {
    let Some(list) = list else {
        return Ok(COLUMNS.iter().filter(|c| !c.extra).copied().collect());
    };
    let mut chosen: Vec<Column> = Vec::new();
    for name in list.split('+') {
        let column = COLUMNS.iter().find(|c| c.name == name).ok_or_else(|| {
            let all: Vec<_> = COLUMNS.iter().map(|c| c.name).collect();
            let text = format!("option columns: no column `{name}`, expected {}", all.join(", "));
            Failure::new(abi::LENS_E_CONFIG, text)
        })?;
        if chosen.iter().any(|c| c.name == name) {
            let text = format!("option columns: column `{name}` is there twice");
            return Err(Failure::new(abi::LENS_E_CONFIG, text));
        }
        chosen.push(*column);
    }
    Ok(chosen)
}

// ---- formulas ----

fn known(value: i64) -> Option<i64> {
    (value >= 0).then_some(value)
}

fn span(from: i64, to: i64) -> Option<f64> {
    Some((known(to)? - known(from)?).max(0) as f64 / 1e6)
}

fn streamed(s: &lens_sample, from: i64, to: i64) -> Option<f64> {
    (s.streamed != 0).then(|| span(from, to)).flatten()
}

/// Of a connection of its own: a look-up, connect or handshake.
fn fresh(s: &lens_sample, from: i64, to: i64) -> Option<f64> {
    (s.reused == 0).then(|| span(from, to)).flatten()
}

fn done(s: &lens_sample) -> i64 {
    known(s.terminal_ns).unwrap_or(s.end_ns)
}

fn usage(s: &lens_sample, code: u32) -> Option<i64> {
    known(*s.usage.get(code as usize)?)
}

/// What the server said of a stream that broke off is not the whole.
fn output_tokens(s: &lens_sample) -> Option<i64> {
    (s.usage_partial == 0).then(|| usage(s, abi::LENS_USAGE_OUTPUT)).flatten()
}

fn tpot(s: &lens_sample) -> Option<f64> {
    let tokens = output_tokens(s).filter(|&tokens| tokens > 1 && s.streamed != 0)?;
    let time = known(s.last_output_ns)? - known(s.first_output_ns)?;
    Some(time as f64 / 1e6 / (tokens - 1) as f64)
}

fn output_rate(s: &lens_sample) -> Option<f64> {
    let time = done(s) - known(s.departure_ns)?;
    (time > 0).then_some(output_tokens(s)? as f64 * 1e9 / time as f64)
}

fn server(s: &lens_sample) -> Option<f64> {
    streamed(s, known(s.departure_ns)? + known(s.rtt_ns)?, s.first_output_ns)
}

fn finite(number: f64) -> Option<f64> {
    number.is_finite().then_some(number)
}

fn cost(s: &lens_sample) -> Option<f64> {
    match known(s.cost_total) {
        Some(cost) => Some(cost as f64 / 1e12),
        None => finite(s.cost_reported_usd),
    }
}

/// Parts sum up to the cost where that is our own.
fn cost_part(s: &lens_sample, code: u32) -> Option<f64> {
    known(s.cost_total)?;
    Some(known(*s.cost.get(code as usize)?)? as f64 / 1e12)
}

/// 11 is "1.1".
fn http_version(version: u32) -> Text<'static> {
    (version > 0).then(|| format!("{}.{}", version / 10, version % 10).into())
}

fn hex(bytes: &[u8]) -> Text<'static> {
    Some(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

fn said(text_of_c: *const std::ffi::c_char) -> Text<'static> {
    // Copied: it is the host's, and gone after the call.
    unsafe { text(text_of_c) }.map(|text| Cow::Owned(text.into_owned()))
}

fn name<'a>(names: impl FnOnce() -> Option<&'a str>) -> Text<'a> {
    names().filter(|name| !name.is_empty()).map(Cow::Borrowed)
}

fn of_target<'a>(s: &lens_sample, run: &'a Run, member: fn(&Target) -> &String) -> Text<'a> {
    name(|| run.targets.get(s.target as usize).map(|target| member(target).as_str()))
}

fn word(word: Option<&'static str>) -> Text<'static> {
    word.map(Cow::Borrowed)
}

// ---- the table ----

const fn usual(name: &'static str, read: Read) -> Column {
    Column { name, extra: false, read }
}

const fn extra(name: &'static str, read: Read) -> Column {
    Column { name, extra: true, read }
}

use Read::{Count, Flag, Integer, Number, Text as Words, Time};

pub static COLUMNS: &[Column] = &[
    usual("id", Count(|s| Some(s.id))),
    usual("index", Count(|s| Some(s.index))),
    usual("target", Words(|s, run| of_target(s, run, |t| &t.name))),
    usual("stage", Words(|s, run| name(|| run.stages.get(s.stage as usize).map(String::as_str)))),
    usual("phase", Words(|s, _| word(words::phase(s.phase)))),
    usual("outcome", Words(|s, _| word(words::outcome(s.outcome)))),
    usual("start_time", Time(|s| Some(s.unix_ns).filter(|&time| time > 0))),
    usual("session", Count(|s| Some(s.session))),
    usual("turn", Count(|s| Some(s.turn))),
    usual("item", Integer(|s| i64::try_from(s.item).ok())),
    usual("attempts", Integer(|s| Some(i64::from(s.attempt) + 1))),
    usual("ttft_ms", Number(|s| streamed(s, s.departure_ns, s.first_output_ns))),
    usual("ttft_text_ms", Number(|s| streamed(s, s.departure_ns, s.first_text_ns))),
    usual("ttft_from_due_ms", Number(|s| streamed(s, s.due_ns, s.first_output_ns))),
    usual("ttft_text_from_due_ms", Number(|s| streamed(s, s.due_ns, s.first_text_ns))),
    usual("ttst_ms", Number(|s| streamed(s, s.first_output_ns, s.second_output_ns))),
    usual("tpot_ms", Number(tpot)),
    usual("e2e_ms", Number(|s| span(s.departure_ns, done(s)))),
    usual("e2e_from_due_ms", Number(|s| span(s.due_ns, done(s)))),
    usual("ttfb_ms", Number(|s| span(s.departure_ns, s.first_byte_ns))),
    usual("dns_ms", Number(|s| fresh(s, s.start_ns, s.dns_ns))),
    usual("connect_ms", Number(|s| fresh(s, known(s.dns_ns).unwrap_or(s.start_ns), s.connect_ns))),
    usual("tls_ms", Number(|s| fresh(s, s.connect_ns, s.tls_ns))),
    usual("network_ms", Number(|s| known(s.rtt_ns).map(|ns| ns as f64 / 1e6))),
    usual("server_ms", Number(server)),
    usual("output_tokens_per_s_per_request", Number(output_rate)),
    usual("input_tokens", Integer(|s| usage(s, abi::LENS_USAGE_INPUT))),
    usual("cache_read_tokens", Integer(|s| usage(s, abi::LENS_USAGE_CACHE_READ))),
    usual("cache_write_tokens", Integer(|s| usage(s, abi::LENS_USAGE_CACHE_WRITE))),
    usual("output_tokens", Integer(|s| usage(s, abi::LENS_USAGE_OUTPUT))),
    usual("reasoning_tokens", Integer(|s| usage(s, abi::LENS_USAGE_REASONING))),
    usual("tokens_partial", Flag(|s| Some(s.usage_partial != 0))),
    usual("asked_output_tokens", Integer(|s| known(s.asked_output_tokens))),
    usual("error", Words(|s, _| word(words::error_kind(s.error_kind)))),
    usual("error_class", Words(|s, _| word(words::error_class(s.error_class)))),
    usual("error_where", Words(|s, _| word(words::error_where(s.error_where)))),
    usual("error_detail", Words(|s, _| said(s.error_detail))),
    usual("http_status", Integer(|s| Some(i64::from(s.http_status)).filter(|&code| code > 0))),
    usual("messages", Count(|s| Some(s.messages))),
    usual("output_messages", Count(|s| Some(s.output_messages))),
    usual("streamed", Flag(|s| Some(s.streamed != 0))),
    usual("finish", Words(|s, _| said(s.finish))),
    usual("server_id", Words(|s, _| said(s.server_id))),
    usual("served_model", Words(|s, _| said(s.served_model))),
    usual("tier", Words(|s, _| said(s.tier))),
    usual("reused", Flag(|s| Some(s.reused != 0))),
    usual("http_version", Words(|s, _| http_version(s.http_version))),
    usual("bytes_sent", Count(|s| Some(s.bytes_sent))),
    usual("bytes_received", Count(|s| Some(s.bytes_received))),
    usual("departure_clock", Words(|s, _| word(words::clock(s.departure_clock)))),
    usual("first_clock", Words(|s, _| word(words::clock(s.first_clock)))),
    usual("cost_reported_usd", Number(|s| finite(s.cost_reported_usd))),
    usual("cost_usd", Number(cost)),
    usual("cost_input_uncached_usd", Number(|s| cost_part(s, abi::LENS_COST_INPUT_UNCACHED))),
    usual("cost_cache_read_usd", Number(|s| cost_part(s, abi::LENS_COST_CACHE_READ))),
    usual("cost_cache_write_5m_usd", Number(|s| cost_part(s, abi::LENS_COST_CACHE_WRITE_5M))),
    usual("cost_cache_write_1h_usd", Number(|s| cost_part(s, abi::LENS_COST_CACHE_WRITE_1H))),
    usual("cost_output_visible_usd", Number(|s| cost_part(s, abi::LENS_COST_OUTPUT_VISIBLE))),
    usual("cost_reasoning_usd", Number(|s| cost_part(s, abi::LENS_COST_REASONING))),
    usual("cost_request_usd", Number(|s| cost_part(s, abi::LENS_COST_REQUEST))),
    usual("due_ns", Integer(|s| known(s.due_ns))),
    usual("start_ns", Integer(|s| known(s.start_ns))),
    usual("departure_ns", Integer(|s| known(s.departure_ns))),
    usual("first_byte_ns", Integer(|s| known(s.first_byte_ns))),
    usual("first_output_ns", Integer(|s| known(s.first_output_ns))),
    usual("last_output_ns", Integer(|s| known(s.last_output_ns))),
    usual("terminal_ns", Integer(|s| known(s.terminal_ns))),
    usual("end_ns", Integer(|s| known(s.end_ns))),
    extra("run_id", Words(|_, run| name(|| Some(run.id.as_str())))),
    extra("provider", Words(|s, run| of_target(s, run, |t| &t.provider))),
    extra("api", Words(|s, run| of_target(s, run, |t| &t.api))),
    extra("model", Words(|s, run| of_target(s, run, |t| &t.model))),
    extra("trace_id", Words(|s, _| hex(&s.trace_id))),
    extra("span_id", Words(|s, _| hex(&s.span_id))),
    extra("extra", Words(|s, _| said(s.extra_json))),
    extra("prompt", Words(|s, _| said(s.prompt))),
    extra("text", Words(|s, _| said(s.text))),
    extra("reasoning", Words(|s, _| said(s.reasoning))),
];
