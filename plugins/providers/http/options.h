/* options: all that can be set. The table stands in a header because the schema of a
 * constant provider needs its size. */
#pragma once

#include <lens/option.h>

#define TEXT(name, help)                                       \
    {                                                          \
        name, LENS_OPT_STRING, 0, NULL, NULL, NULL, NULL, help \
    }
#define LIST(name, help)                                                         \
    {                                                                            \
        name, LENS_OPT_STRING, LENS_OPT_REPEATABLE, NULL, NULL, NULL, NULL, help \
    }
#define CHOICE(name, fallback, choices, help)                         \
    {                                                                 \
        name, LENS_OPT_CHOICE, 0, fallback, choices, NULL, NULL, help \
    }

static const struct lens_option http_options[] = {
    /* the request */
    { "url", LENS_OPT_URL, LENS_OPT_REQUIRED, NULL, NULL, NULL, NULL,
      "where requests go" },
    TEXT("path", "put behind the URL, with placeholders, for instance "
                 "/models/{{model}}:stream"),
    TEXT("path_whole", "the same for requests without a stream; unset: path"),
    CHOICE("method", "POST", "POST|GET|PUT", "HTTP method; GET sends no body"),
    LIST("header", "`Name: value`; a value env:NAME is read there and kept secret"),
    TEXT("body", "template of the request, with placeholders, for instance "
                 "{\"prompt\":{{prompt}}}"),
    CHOICE("body_form", "json", "json|text|form",
           "how placeholders are written: as JSON, as they are, percent-encoded"),
    TEXT("content_type", "of the request; unset: by body_form"),
    TEXT("accept", "Accept header; unset: by framing"),
    /* who asks */
    { "api_key", LENS_OPT_SECRET, 0, NULL, NULL, NULL, NULL,
      "key or password, used as auth says" },
    CHOICE("auth", "auto",
           "auto|none|bearer|header|basic|sigv4|google|entra|managed_identity|token",
           "how requests are authorised; auto: bearer when there is a key"),
    TEXT("auth_header", "name of the header that carries the key (auth=header)"),
    TEXT("auth_prefix", "put in front of the key in that header"),
    TEXT("username", "user of auth=basic; the key is the password"),
    TEXT("service", "service to sign for (auth=sigv4)"),
    { "region", LENS_OPT_STRING, 0, NULL, NULL, NULL, "AWS_REGION",
      "region to sign for (auth=sigv4)" },
    TEXT("profile", "profile of the AWS files (auth=sigv4)"),
    TEXT("credentials_file", "file with credentials (auth=sigv4, google)"),
    TEXT("scope", "OAuth scope (auth=google, entra); of managed_identity: the resource"),
    TEXT("tenant", "tenant of auth=entra"),
    TEXT("client_id", "client of auth=entra or managed_identity"),
    { "client_secret", LENS_OPT_SECRET, 0, NULL, NULL, NULL, NULL,
      "its secret (auth=entra)" },
    TEXT("token_url", "where auth=entra gets its token; unset: Entra's own"),
    TEXT("token_command", "command that prints a token (auth=token)"),
    TEXT("token_file", "file that holds a token (auth=token)"),
    /* how the answer is cut */
    CHOICE("framing", "sse", "sse|ndjson|json-array|concatenated|raw|whole",
           "what a stream is made of"),
    CHOICE("data", "json", "json|text", "what the messages are"),
    LIST("events", "SSE events that are looked at; unset: all"),
    TEXT("text_event", "SSE event whose data is text (data=text); unset: all others"),
    TEXT("reasoning_event", "SSE event whose data is reasoning (data=text)"),
    TEXT("error_event", "SSE event that is an error"),
    TEXT("done_event", "SSE event that ends the stream"),
    TEXT("done_data", "data that ends the stream; SSE, unset: [DONE], where it comes"),
    TEXT("done_path", "path of what ends the stream when it is there and says yes"),
    TEXT("done_value", "value at done_path that ends the stream"),
    CHOICE("text_mode", "delta", "delta|cumulative",
           "whether messages bring what is new or all so far"),
    /* where things lie */
    { "text_path", LENS_OPT_STRING, 0, "text", NULL, NULL, NULL, "path of visible text" },
    TEXT("reasoning_path", "path of reasoning"),
    TEXT("refusal_path", "path of the words of a refusal"),
    TEXT("tool_name_path", "path of the name of a called tool"),
    TEXT("tool_arguments_path", "path of its arguments, text or JSON"),
    TEXT("tool_index_path", "path of the number of the call"),
    TEXT("finish_path", "path of the reason to finish"),
    TEXT("model_path", "path of the model that answered"),
    TEXT("id_path", "path of the request's id"),
    TEXT("id_header", "header with the request's id"),
    TEXT("tier_path", "path of the service tier"),
    TEXT("cost_path", "path of the server's own bill in USD"),
    TEXT("tokens_path", "path of the tokens of one message: a number, or a list that is "
                        "counted"),
    { "input_tokens_path", LENS_OPT_STRING, 0, "usage.input_tokens | usage.prompt_tokens",
      NULL, NULL, NULL, "path of the input tokens" },
    { "output_tokens_path", LENS_OPT_STRING, 0,
      "usage.output_tokens | usage.completion_tokens", NULL, NULL, NULL,
      "path of the output tokens" },
    TEXT("total_tokens_path", "path of both together, where one of them is not said"),
    TEXT("cache_read_tokens_path", "path of the input tokens read from a cache"),
    TEXT("cache_write_tokens_path", "path of the input tokens written to a cache"),
    TEXT("cache_write_1h_tokens_path", "path of those written for an hour"),
    TEXT("reasoning_tokens_path", "path of the output tokens of reasoning"),
    TEXT("billed_input_path", "path of the input units that are billed"),
    TEXT("billed_output_path", "path of the output units that are billed"),
    CHOICE("cache_relation", "included", "included|additional",
           "whether the input tokens hold the cached ones"),
    CHOICE("reasoning_relation", "included", "included|additional",
           "whether the output tokens hold those of reasoning"),
    /* errors */
    { "error_path", LENS_OPT_STRING, 0, "error", NULL, NULL, NULL,
      "path of an error: an object or text, which is there only then" },
    TEXT("error_message_path", "path of its words, where they are not found by "
                               "themselves"),
    TEXT("error_code_path", "path of its machine code"),
    LIST("error_kind", "`PATTERN=KIND`: code, type, HTTP status or *words* that mean a "
                       "kind, for instance E42=rate_limit"),
    LIST("time", "`NAME=PATH` or `NAME=header:FIELD`: a time of the server, kept under "
                 "that name"),
    /* the list of models */
    TEXT("models_path", "path of the URL of a model list, asked by GET"),
    { "models_list", LENS_OPT_STRING, 0, "data", NULL, NULL, NULL,
      "where the list lies in the answer, members joined by dots" },
    { "models_name", LENS_OPT_STRING, 0, "id", NULL, NULL, NULL,
      "member with the model's name" },
};
