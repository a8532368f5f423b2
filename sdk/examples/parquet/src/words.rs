//! What the codes of a sample are called; the words are those of `csv` and `json`.

fn word(list: &[&'static str], code: u32) -> Option<&'static str> {
    list.get(code as usize).copied().filter(|word| !word.is_empty())
}

pub fn outcome(code: u32) -> Option<&'static str> {
    word(&["", "ok", "failed", "cancelled", "censored"], code)
}

pub fn phase(code: u32) -> Option<&'static str> {
    word(&["", "warmup", "measured", "cooldown"], code)
}

pub fn clock(code: u32) -> Option<&'static str> {
    word(&["", "kernel", "user", "interval"], code)
}

pub fn error_where(code: u32) -> Option<&'static str> {
    word(&["", "connect", "http", "stream", "client"], code)
}

pub fn error_class(code: u32) -> Option<&'static str> {
    const WORDS: [&str; 7] =
        ["", "http_error", "stream_error", "protocol_error", "truncated", "blocked", "transport"];
    word(&WORDS, code)
}

pub fn error_kind(code: u32) -> Option<&'static str> {
    const WORDS: [&str; 22] = [
        "",
        "dns",
        "connect",
        "tls",
        "network",
        "timeout",
        "redirect",
        "protocol",
        "truncated",
        "blocked",
        "too_large",
        "cancelled",
        "rate_limit",
        "quota",
        "overloaded",
        "auth",
        "permission",
        "not_found",
        "invalid_request",
        "context_length",
        "content_filter",
        "server",
    ];
    word(&WORDS, code)
}
