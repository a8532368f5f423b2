/* secret: resolves named secrets and keeps them out of everything that is shown.
 *
 * Every resolved value is remembered; `secret_redact` replaces any occurrence. Any
 * thread. */
#pragma once

#include <glib.h>
#include <stdbool.h>

/* Resolves `env:VAR`, `file:PATH` or `cmd:ARGV` (no shell). A literal is refused; the
 * message shows the right spelling and never the value. `run_commands` false: cmd: is
 * accepted, gives an empty string. The value is registered for redaction. Caller frees
 * with secret_free. */
char *secret_resolve(const char *spec, bool run_commands, GError **error);
/* Whether `spec` is of a form that secret_resolve takes. */
bool secret_is_named(const char *spec);
/* The same, with the right spelling as error; what was given is not repeated. */
bool secret_check(const char *spec, GError **error);
/* Wipes and frees. NULL is fine. */
void secret_free(char *value);
/* From now on `value` is redacted. Values under 4 characters are not. */
void secret_register(const char *value);
/* A copy of `text` without secrets and control characters (escape sequences, bidi marks).
 */
char *secret_redact(const char *text, gssize size);
