#include "flags.h"

#include <glib.h>
#include <string.h>

static const command command_table[] = {
    { "run", "[PLAN.yaml|PLAN.json|URL] [flags]", 0, 1,
      "Measure endpoints and write a run file",
      "Runs a plan, or what the flags say. A bare URL is the base URL of any server\n"
      "that speaks the common chat API. Without plan, URL, provider and model the\n"
      "built-in mock is measured.",
      "lens run http://127.0.0.1:8000 -c 32 -d 60s\n"
      "lens run --provider groq -m llama-3.1-8b-instant -n 200 --slo 'ttft.p99<500ms'\n"
      "lens run plan.yaml --dry-run" },
    { "show", "RUN.lens...", 1, 1000, "Show the summary of a run file", NULL,
      "lens show lens-20260102-030405.lens\nlens show run.lens --json | jq "
      ".run.verdict" },
    { "export", "RUN.lens... --to NAME:k=v", 1, 10000, "Send run files to exporters",
      "Goes on where an earlier delivery stopped, unless --again. Exit code 5:\n"
      "something is not delivered yet.",
      "lens export run.lens --to csv:path=samples.csv" },
    { "import", "csv|jsonl FILE", 2, 2, "Make a run file from numbers measured elsewhere",
      NULL, "lens import csv times.csv --map ttft_ms=first_token -o other.lens" },
    { "init", NULL, 0, 0, "Write a commented plan to start from", NULL,
      "lens init && lens validate lens.yaml" },
    { "validate", "PLAN.yaml|PLAN.json|URL [flags]", 0, 1,
      "Check a plan without touching the network",
      "Says what would be run: targets, stages, workloads, requests, and whether keys\n"
      "are there. Takes the flags of run. With --online each endpoint is asked\n"
      "something that costs nothing.",
      "lens validate plan.yaml\nlens validate plan.yaml --online" },
    { "decode", "FILE|-", 1, 1, "Decode a recorded stream",
      "The file holds one JSON object a case, with api and chunks. One JSON object is\n"
      "printed for each.",
      "lens decode case.json" },
    { "mock", NULL, 0, 0, "Serve made-up answers by an exact schedule",
      "What it really did is at GET /truth.",
      "lens mock --port 8080 --ttft 200ms --itl 20ms --tokens 64 --fault 429:0.1" },
    { "calibrate", NULL, 0, 0, "Measure lens itself against the mock", NULL,
      "lens calibrate --concurrency 1,64,512" },
    { "plugin list", NULL, 0, 0, "List the plugins, and why one was refused", NULL,
      "lens plugin list" },
    { "plugin info", "NAME", 1, 1, "Show what a plugin does and its options", NULL,
      "lens plugin info closed" },
    { "plugin check", "FILE.so", 1, 1, "Prove a plugin against the contract", NULL,
      "lens plugin check ./mine.so --case cases.jsonl" },
    { "plugin new", "provider|workload|exporter NAME DIR", 3, 3,
      "Write a complete plugin project", NULL, "lens plugin new provider mine ./mine" },
    { "help", "[COMMAND]", 0, 2, "Show help of a command", NULL, "lens help run" },
    { "cost", "[RUN.lens|-] [flags]", 0, 1, "Bill a usage, many of them, or a stored run",
      "With --model and --usage one usage is billed by kind. With - each line of the\n"
      "standard input is a JSON object "
      "{\"id\",\"model\",\"provider\",\"usage\",\"options\"} "
      "and\n"
      "gets one line as its answer; what is unknown is null. A run file is priced anew\n"
      "and shown, it stays as it is.",
      "lens cost --model gpt-4o --usage '{\"in\":2006,\"cache_read\":1920,\"out\":300}'\n"
      "lens cost - <usages.jsonl\n"
      "lens cost run.lens --pricing mine.yaml" },
    { "prices", "[flags]", 0, 0, "Show what models cost", NULL,
      "lens prices --provider openai\nlens prices --model claude-sonnet-5 --at "
      "2026-08-01" },
    { "models", "[PLAN.yaml|PLAN.json|URL] [flags]", 0, 1,
      "List the models that a server offers",
      "Asks the provider, where it can be asked. Any other name may be given to\n"
      "run, too.",
      "lens models --provider openai\nlens models http://127.0.0.1:8000" },
};

/* Why each default is what it is: docs/guide.md. */
static const flag flag_table[] = {
    /* load */
    { "concurrency", 'c', SCALAR_INT, 0, ON_PLAN, NULL, "1..1000000", "N", GROUP_LOAD,
      "requests in flight (closed loop; default 1)" },
    { "rate", 0, SCALAR_DOUBLE, 0, ON_PLAN, NULL, "0.000001..10000000", "R", GROUP_LOAD,
      "requests per second, evenly spaced unless --workload says otherwise" },
    { "workload", 0, SCALAR_STRING, 0, ON_PLAN, NULL, NULL, "NAME:k=v", GROUP_LOAD,
      "the workload plugin and its options" },
    { "requests", 'n', SCALAR_INT, 0, ON_PLAN, NULL, "1..", "N", GROUP_LOAD,
      "stop after N requests (default 100 without --duration)" },
    { "duration", 'd', SCALAR_DURATION, 0, ON_PLAN, NULL, "1ms..", "TIME", GROUP_LOAD,
      "stop after this time" },
    { "warmup", 0, SCALAR_COUNT_OR_DURATION, 0, ON_PLAN, NULL, NULL, "N|TIME", GROUP_LOAD,
      "first requests that are marked and not measured" },
    { "drain", 0, SCALAR_DURATION, 0, ON_PLAN, "60s", "0s..", "TIME", GROUP_LOAD,
      "longest time to keep up an open load while the last measured ones end" },
    { "threads", 0, SCALAR_INT, 0, ON_PLAN, "1", "1..256", "N", GROUP_LOAD,
      "worker threads" },
    { "max-in-flight", 0, SCALAR_INT, 0, ON_PLAN, NULL, "1..", "N", GROUP_LOAD,
      "most requests at once in an open loop; later ones start late and are counted" },
    { "seed", 0, SCALAR_UNSIGNED, 0, ON_PLAN | ON_MOCK, NULL, NULL, "N", GROUP_LOAD,
      "seed of everything drawn (default random)" },
    { "spin", 0, SCALAR_SWITCH, 0, ON_PLAN, NULL, NULL, NULL, GROUP_LOAD,
      "poll instead of sleeping: one whole core for a little less lag" },

    /* target */
    { "model", 'm', SCALAR_STRING, 0, ON_PLAN, NULL, NULL, "NAME", GROUP_TARGET,
      "the model (default: asked from the server when it has only one)" },
    { "provider", 0, SCALAR_STRING, 0, ON_PLAN, NULL, NULL, "NAME:k=v", GROUP_TARGET,
      "the provider plugin or a preset, and its options" },
    { "api", 0, SCALAR_STRING, 0, ON_PLAN, NULL, NULL, "NAME", GROUP_TARGET,
      "which of the provider's APIs (default: its first)" },
    { "url", 0, SCALAR_STRING, 0, ON_PLAN, NULL, NULL, "URL", GROUP_TARGET,
      "base URL, with or without /v1" },
    { "set", 0, SCALAR_STRING, FLAG_REPEATABLE, ON_PLAN | ON_EXPORT, NULL, NULL,
      "WHOSE.KEY=VALUE", GROUP_TARGET,
      "an option, taken as it is: provider.KEY, workload.KEY, export.NAME.KEY" },
    { "header", 0, SCALAR_STRING, FLAG_REPEATABLE, ON_PLAN, NULL, NULL, "'NAME: VALUE'",
      GROUP_TARGET, "a request header; none that carries a key" },
    { "api-key-env", 0, SCALAR_STRING, 0, ON_PLAN, NULL, NULL, "NAME", GROUP_TARGET,
      "environment variable that holds the key" },
    { "api-key-file", 0, SCALAR_PATH, 0, ON_PLAN, NULL, NULL, "FILE", GROUP_TARGET,
      "file that holds the key" },

    /* request */
    { "max-tokens", 0, SCALAR_INT, 0, ON_PLAN, "128", "1..", "N", GROUP_REQUEST,
      "most output tokens of a request" },
    { "temperature", 0, SCALAR_DOUBLE, 0, ON_PLAN, NULL, "0..", "T", GROUP_REQUEST,
      "sampling temperature (default: the server's)" },
    { "top-p", 0, SCALAR_DOUBLE, 0, ON_PLAN, NULL, "0..1", "P", GROUP_REQUEST,
      "nucleus sampling (default: the server's)" },
    { "stop", 0, SCALAR_STRING, FLAG_REPEATABLE, ON_PLAN, NULL, NULL, "TEXT",
      GROUP_REQUEST, "a text that ends the answer" },
    { "ignore-eos", 0, SCALAR_SWITCH, 0, ON_PLAN, NULL, NULL, NULL, GROUP_REQUEST,
      "go on to the token limit (servers that can)" },
    { "no-stream", 0, SCALAR_SWITCH, 0, ON_PLAN, NULL, NULL, NULL, GROUP_REQUEST,
      "ask for whole answers" },
    { "extra", 0, SCALAR_OBJECT, 0, ON_PLAN, NULL, NULL, "JSON", GROUP_REQUEST,
      "object merged into the request's body" },

    /* prompts */
    { "prompt", 0, SCALAR_STRING, 0, ON_PLAN, NULL, NULL, "TEXT", GROUP_PROMPTS,
      "the prompt (default: built-in, about 100 words)" },
    { "prompts", 0, SCALAR_PATH, 0, ON_PLAN, NULL, NULL, "FILE", GROUP_PROMPTS,
      "prompts: text lines, or JSON lines with prompt or messages" },
    { "same-prompt", 0, SCALAR_SWITCH, 0, ON_PLAN, NULL, NULL, NULL, GROUP_PROMPTS,
      "no unique head: lets the server's prefix cache help" },

    /* limits and retries */
    { "retries", 0, SCALAR_INT, 0, ON_PLAN, "0", "0..100", "N", GROUP_LIMITS,
      "retries of a request that failed before any output" },
    { "retry-max-wait", 0, SCALAR_DURATION, 0, ON_PLAN, "60s", "0s..", "TIME",
      GROUP_LIMITS, "longest Retry-After that is honoured" },
    { "rpm", 0, SCALAR_DOUBLE, 0, ON_PLAN, NULL, "0.001..", "N", GROUP_LIMITS,
      "most requests per minute and target" },
    { "tpm", 0, SCALAR_DOUBLE, 0, ON_PLAN, NULL, "0.001..", "N", GROUP_LIMITS,
      "most tokens per minute and target" },
    { "abort-after", 0, SCALAR_INT_OR_OFF, 0, ON_PLAN, "50", "1..", "N|off", GROUP_LIMITS,
      "give up after N failures in a row" },
    { "max-cost", 0, SCALAR_STRING, 0, ON_PLAN, NULL, NULL, "USD", GROUP_LIMITS,
      "start nothing that could make the run cost more" },
    { "no-preflight", 0, SCALAR_SWITCH, 0, ON_PLAN, NULL, NULL, NULL, GROUP_LIMITS,
      "do not try a connection before the load" },
    { "connect-timeout", 0, SCALAR_DURATION, 0, ON_PLAN, "10s", "1ms..", "TIME",
      GROUP_LIMITS, "for DNS, TCP and TLS" },
    { "first-token-timeout", 0, SCALAR_DURATION, 0, ON_PLAN, "120s", "1ms..", "TIME",
      GROUP_LIMITS, "until the first output" },
    { "idle-timeout", 0, SCALAR_DURATION, 0, ON_PLAN, "60s", "1ms..", "TIME",
      GROUP_LIMITS, "between two outputs", "gap-timeout" },
    { "timeout", 0, SCALAR_DURATION, 0, ON_PLAN, "10m", "1ms..", "TIME", GROUP_LIMITS,
      "for a whole request" },

    /* transport */
    { "http", 0, SCALAR_CHOICE, 0, ON_PLAN, "auto", "auto|1.1|2", "VERSION",
      GROUP_TRANSPORT, "auto: agreed over TLS, 1.1 in clear" },
    { "multiplex", 0, SCALAR_SWITCH, 0, ON_PLAN, NULL, NULL, NULL, GROUP_TRANSPORT,
      "many HTTP/2 requests on a connection" },
    { "no-reuse", 0, SCALAR_SWITCH, 0, ON_PLAN, NULL, NULL, NULL, GROUP_TRANSPORT,
      "a new connection for each request" },
    { "compressed", 0, SCALAR_SWITCH, 0, ON_PLAN, NULL, NULL, NULL, GROUP_TRANSPORT,
      "ask for compressed answers" },
    { "follow-redirects", 0, SCALAR_SWITCH, 0, ON_PLAN, NULL, NULL, NULL, GROUP_TRANSPORT,
      "follow HTTP redirects" },
    { "traceparent", 0, SCALAR_SWITCH, 0, ON_PLAN, NULL, NULL, NULL, GROUP_TRANSPORT,
      "send a traceparent header, so that the target's spans join those of lens" },
    { "insecure", 0, SCALAR_SWITCH, 0, ON_PLAN, NULL, NULL, NULL, GROUP_TRANSPORT,
      "do not verify the server's certificate" },
    { "cacert", 0, SCALAR_PATH, 0, ON_PLAN, NULL, NULL, "FILE", GROUP_TRANSPORT,
      "certificates to trust (PEM)" },
    { "cert", 0, SCALAR_PATH, 0, ON_PLAN, NULL, NULL, "FILE", GROUP_TRANSPORT,
      "client certificate (PEM)" },
    { "key", 0, SCALAR_PATH, 0, ON_PLAN, NULL, NULL, "FILE", GROUP_TRANSPORT,
      "private key of the client certificate (PEM)" },
    { "proxy", 0, SCALAR_STRING, 0, ON_PLAN, NULL, NULL, "URL", GROUP_TRANSPORT,
      "proxy for all requests" },
    { "resolve", 0, SCALAR_STRING, FLAG_REPEATABLE, ON_PLAN, NULL, NULL, "HOST:PORT:ADDR",
      GROUP_TRANSPORT, "address to use for a host" },

    /* results */
    { "slo", 0, SCALAR_STRING, FLAG_REPEATABLE, ON_PLAN, NULL, NULL, "EXPR",
      GROUP_RESULTS, "a goal: 'ttft.p99<500ms', 'errors<1%', 'ttft<500ms'" },
    { "strict", 0, SCALAR_SWITCH, 0, ON_PLAN, NULL, NULL, NULL, GROUP_RESULTS,
      "exit 4 when the verdict is INVALID, 5 when an export is incomplete" },
    { "export", 0, SCALAR_STRING, FLAG_REPEATABLE, ON_PLAN, NULL, NULL, "NAME:k=v",
      GROUP_RESULTS, "an exporter plugin and its options" },
    { "export-wait", 0, SCALAR_DURATION, 0, ON_PLAN | ON_EXPORT, "30s", "0s..", "TIME",
      GROUP_RESULTS, "longest wait for exporters at the end" },
    { "interval", 0, SCALAR_DURATION, 0, ON_PLAN, "10s", "100ms..", "TIME", GROUP_RESULTS,
      "between snapshots" },
    { "out", 'o', SCALAR_PATH, 0, ON_PLAN, NULL, NULL, "FILE", GROUP_RESULTS,
      "run file (default lens-YYYYmmdd-HHMMSS.lens)" },
    { "out", 'o', SCALAR_PATH, 0, ON_IMPORT, NULL, NULL, "FILE", GROUP_RESULTS,
      "run file (default lens-YYYYmmdd-HHMMSS.lens)" },
    { "out", 'o', SCALAR_PATH, 0, ON_INIT, "lens.yaml", NULL, "FILE", GROUP_RESULTS,
      "the plan's file; - for standard output" },
    { "force", 0, SCALAR_SWITCH, 0, ON_PLAN | ON_IMPORT | ON_INIT, NULL, NULL, NULL,
      GROUP_RESULTS, "overwrite an existing file" },
    { "no-deltas", 0, SCALAR_SWITCH, 0, ON_PLAN, NULL, NULL, NULL, GROUP_RESULTS,
      "do not keep the times of single messages" },
    { "record-text", 0, SCALAR_SWITCH, 0, ON_PLAN, NULL, NULL, NULL, GROUP_RESULTS,
      "keep prompts and answers in the run file" },
    { "dry-run", 0, SCALAR_SWITCH, 0, ON_PLAN, NULL, NULL, NULL, GROUP_RESULTS,
      "say what would be run, without touching the network" },
    { "online", 0, SCALAR_SWITCH, 0, ON_PLAN, NULL, NULL, NULL, GROUP_RESULTS,
      "let --dry-run and validate ask the network, for nothing that costs" },
    { "test-request", 0, SCALAR_SWITCH, 0, ON_VALIDATE, NULL, NULL, NULL, GROUP_RESULTS,
      "send one short request to each target, which may cost money" },
    { "dump-schedule", 0, SCALAR_PATH, 0, ON_PLAN, NULL, NULL, "FILE", GROUP_RESULTS,
      "write when each request is due, without touching the network" },
    { "json", 0, SCALAR_SWITCH, 0,
      ON_PLAN | ON_SHOW | ON_CALIBRATE | ON_PLUGIN_LIST | ON_PLUGIN_INFO | ON_COST |
          ON_PRICES,
      NULL, NULL, NULL, GROUP_RESULTS, "print JSON instead of a table" },
    { "clock", 0, SCALAR_CHOICE, FLAG_HIDDEN, ON_PLAN, "kernel", "kernel|user", "CLOCK",
      GROUP_RESULTS, "where stamps come from" },

    /* export, import */
    { "to", 0, SCALAR_STRING, FLAG_REPEATABLE, ON_EXPORT, NULL, NULL, "NAME:k=v",
      GROUP_OTHER, "an exporter plugin and its options" },
    { "again", 0, SCALAR_SWITCH, 0, ON_EXPORT, NULL, NULL, NULL, GROUP_OTHER,
      "from the start, not where an earlier delivery stopped" },
    { "map", 0, SCALAR_STRING, FLAG_REPEATABLE, ON_IMPORT, NULL, NULL, "FIELD=COLUMN",
      GROUP_OTHER, "which column holds which field" },

    /* cost, prices */
    { "model", 'm', SCALAR_STRING, 0, ON_COST | ON_PRICES, NULL, NULL, "NAME",
      GROUP_OTHER, "the model" },
    { "provider", 0, SCALAR_STRING, 0, ON_COST | ON_PRICES, NULL, NULL, "NAME",
      GROUP_OTHER, "the provider, by any of its names" },
    { "usage", 0, SCALAR_STRING, 0, ON_COST, NULL, NULL, "JSON", GROUP_OTHER,
      "token counts: in, cache_read, cache_write, cache_write_1h, out, reasoning ..." },
    { "tier", 0, SCALAR_STRING, 0, ON_COST, NULL, NULL, "NAME", GROUP_OTHER,
      "service tier: flex, priority, batch (default: standard)" },
    { "batch", 0, SCALAR_SWITCH, 0, ON_COST, NULL, NULL, NULL, GROUP_OTHER,
      "a request of a batch" },
    { "multiplier", 0, SCALAR_STRING, 0, ON_COST, NULL, NULL, "X", GROUP_OTHER,
      "factor on the whole bill, 1.1 for a surcharge of 10 %" },
    { "at", 0, SCALAR_STRING, 0, ON_COST | ON_PRICES, NULL, NULL, "DATE", GROUP_OTHER,
      "the day of the prices (default: today)" },
    { "pricing", 0, SCALAR_PATH, FLAG_REPEATABLE, ON_PLAN | ON_COST | ON_PRICES, NULL,
      NULL, "FILE", GROUP_OTHER,
      "prices that come before ours: our form, or the JSON of LiteLLM or genai-prices" },

    /* decode, plugin */
    { "check", 0, SCALAR_SWITCH, 0, ON_DECODE, NULL, NULL, NULL, GROUP_OTHER,
      "compare with what the case expects; exit 1 when it differs" },
    { "case", 0, SCALAR_PATH, FLAG_REPEATABLE, ON_PLUGIN_CHECK, NULL, NULL, "FILE",
      GROUP_OTHER, "recorded answers to prove it with, one JSON object a line" },
    { "lang", 0, SCALAR_CHOICE, 0, ON_PLUGIN_NEW, "c", "c|c++", "LANGUAGE", GROUP_OTHER,
      "of the project: c or c++" },

    /* mock */
    { "port", 0, SCALAR_INT, 0, ON_MOCK, "0", "0..65535", "PORT", GROUP_OTHER,
      "0: any free one, printed" },
    { "bind", 0, SCALAR_STRING, 0, ON_MOCK, "127.0.0.1", NULL, "ADDRESS", GROUP_OTHER,
      "address to listen on" },
    { "provider", 0, SCALAR_STRING, 0, ON_MOCK, NULL, NULL, "NAME", GROUP_OTHER,
      "speak only this provider's protocol" },
    { "ttft", 0, SCALAR_DURATION, 0, ON_MOCK | ON_CALIBRATE, "200ms", "0s..", "TIME",
      GROUP_OTHER, "time to first token" },
    { "itl", 0, SCALAR_DURATION, 0, ON_MOCK | ON_CALIBRATE, "20ms", "0s..", "TIME",
      GROUP_OTHER, "time between tokens" },
    { "tokens", 0, SCALAR_INT, 0, ON_MOCK | ON_CALIBRATE, "64", "1..100000000", "N",
      GROUP_OTHER, "output tokens of an answer" },
    { "jitter", 0, SCALAR_DURATION, 0, ON_MOCK, "0s", "0s..", "TIME", GROUP_OTHER,
      "random part of every time, seeded" },
    { "tokens-per-chunk", 0, SCALAR_INT, 0, ON_MOCK, "1", "1..1000000", "K", GROUP_OTHER,
      "tokens in a message" },
    { "fault", 0, SCALAR_STRING, FLAG_REPEATABLE, ON_MOCK, NULL, NULL, "NAME:RATE",
      GROUP_OTHER,
      "429 500 503 error cut stall slow_headers html garbage bytewise split_utf8 "
      "huge_line endless bad_length" },
    { "tls", 0, SCALAR_SWITCH, 0, ON_MOCK, NULL, NULL, NULL, GROUP_OTHER,
      "serve TLS with a certificate made at start" },
    { "tls-cert-out", 0, SCALAR_PATH, 0, ON_MOCK, NULL, NULL, "FILE", GROUP_OTHER,
      "write that certificate here (PEM)" },
    { "reasoning", 0, SCALAR_INT, 0, ON_MOCK, "0", "0..100000000", "N", GROUP_OTHER,
      "reasoning tokens before the text" },
    { "tool", 0, SCALAR_STRING, 0, ON_MOCK, NULL, NULL, "NAME", GROUP_OTHER,
      "answer with a call of this tool" },
    { "cached", 0, SCALAR_INT, 0, ON_MOCK, "0", "0..100000000", "N", GROUP_OTHER,
      "cached input tokens in usage" },
    { "script", 0, SCALAR_PATH, 0, ON_MOCK, NULL, NULL, "FILE", GROUP_OTHER,
      "a scripted stream" },

    /* calibrate */
    { "concurrency", 'c', SCALAR_INT_LIST, 0, ON_CALIBRATE, "1,64,256", "1..100000",
      "N,N,...", GROUP_OTHER, "requests in flight, one row each" },
    { "requests", 'n', SCALAR_INT, 0, ON_CALIBRATE, NULL, "1..", "N", GROUP_OTHER,
      "requests of each row" },
    { "judge", 0, SCALAR_SWITCH, 0, ON_CALIBRATE, NULL, NULL, NULL, GROUP_OTHER,
      "exit 1 when an error is beyond its bound" },

    /* help */
    { "man", 0, SCALAR_SWITCH, FLAG_HIDDEN, ON_HELP, NULL, NULL, NULL, GROUP_OTHER,
      "print the man page" },
    { "completion", 0, SCALAR_CHOICE, FLAG_HIDDEN, ON_HELP, NULL, "bash|zsh|fish",
      "SHELL", GROUP_OTHER, "print the completion of a shell" },

    /* global */
    { "plugin-dir", 0, SCALAR_PATH, FLAG_REPEATABLE, (unsigned)ON_ALL, NULL, NULL, "DIR",
      GROUP_GLOBAL, "search plugins here first" },
    { "allow-insecure-plugins", 0, SCALAR_SWITCH, 0, (unsigned)ON_ALL, NULL, NULL, NULL,
      GROUP_GLOBAL, "load plugins that others may write" },
    { "quiet", 0, SCALAR_SWITCH, 0, (unsigned)ON_ALL, NULL, NULL, NULL, GROUP_GLOBAL,
      "only results and errors" },
    { "verbose", 'v', SCALAR_SWITCH, FLAG_REPEATABLE, (unsigned)ON_ALL, NULL, NULL, NULL,
      GROUP_GLOBAL, "say more; twice: say all" },
    { "help", 'h', SCALAR_SWITCH, 0, (unsigned)ON_ALL, NULL, NULL, NULL, GROUP_GLOBAL,
      "show this help" },
    { "version", 0, SCALAR_SWITCH, 0, (unsigned)ON_ALL, NULL, NULL, NULL, GROUP_GLOBAL,
      "show the version" },
};

const command *
commands(unsigned *ret_count)
{
    *ret_count = G_N_ELEMENTS(command_table);
    return command_table;
}

const flag *
flags(unsigned *ret_count)
{
    *ret_count = G_N_ELEMENTS(flag_table);
    return flag_table;
}

const char *
flag_group_name(enum flag_group group)
{
    static const char *const names[GROUP_COUNT] = {
        "Load",      "Target",  "Request", "Prompts", "Limits and retries",
        "Transport", "Results", "Options", "Global"
    };

    return names[group];
}

/* `lens models` takes all flags of a run, so that a command line needs no other form. */
bool
flag_is_shown(const flag *f, unsigned bit)
{
    if ((f->on & bit) == 0 || (f->marks & FLAG_HIDDEN) != 0)
        return false;
    return bit != ON_MODELS || (f->on & ON_RUN) == 0 || f->group == GROUP_TARGET ||
           f->group == GROUP_TRANSPORT || f->group == GROUP_GLOBAL ||
           strcmp(f->name, "json") == 0;
}

unsigned
command_bit(const char *name, const char *sub)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(command_table); i++) {
        const char *whole = command_table[i].name;
        const size_t size = strlen(name);

        if (sub == NULL && g_str_equal(whole, name))
            return 1U << i;
        if (sub != NULL && strncmp(whole, name, size) == 0 && whole[size] == ' ' &&
            g_str_equal(whole + size + 1, sub))
            return 1U << i;
    }
    return 0;
}

bool
command_has_subcommands(const char *name)
{
    const size_t size = strlen(name);

    for (unsigned i = 0; i < G_N_ELEMENTS(command_table); i++)
        if (strncmp(command_table[i].name, name, size) == 0 &&
            command_table[i].name[size] == ' ')
            return true;
    return false;
}

const command *
command_of(unsigned bit)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(command_table); i++)
        if (bit == 1U << i)
            return &command_table[i];
    return NULL;
}

const flag *
flag_find(const char *name, unsigned on)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(flag_table); i++) {
        const flag *f = &flag_table[i];

        if ((f->on & on) != 0 && (g_str_equal(f->name, name) ||
                                  (f->alias != NULL && g_str_equal(f->alias, name))))
            return f;
    }
    return NULL;
}

const flag *
flag_find_letter(char letter, unsigned on)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(flag_table); i++)
        if ((flag_table[i].on & on) != 0 && flag_table[i].letter == letter)
            return &flag_table[i];
    return NULL;
}
