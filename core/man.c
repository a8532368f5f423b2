#include "help.h"

#include <glib.h>
#include <string.h>

/* Text for troff: a backslash and a leading dot or quote would be commands, a dash must
 * stay the one that can be typed. */
static void
put(FILE *out, const char *text)
{
    if (*text == '.' || *text == '\'')
        fputs("\\&", out);
    for (; *text != '\0'; text++) {
        if (*text == '\\')
            fputs("\\e", out);
        else if (*text == '-')
            fputs("\\-", out);
        else if (*text == '\'')
            fputs("\\(aq", out);
        else
            fputc(*text, out);
        if (*text == '\n' && (text[1] == '.' || text[1] == '\''))
            fputs("\\&", out);
    }
}

static void
put_flag(FILE *out, const flag *f)
{
    fputs(".TP\n", out);
    if (f->letter != 0)
        fprintf(out, "\\fB\\-%c\\fR, ", f->letter);
    fputs("\\fB\\-\\-", out);
    put(out, f->name);
    fputs("\\fR", out);
    if (f->value != NULL) {
        fputs(" \\fI", out);
        put(out, f->value);
        fputs("\\fR", out);
    }
    fputc('\n', out);
    put(out, f->help);
    if (f->fallback != NULL && f->value != NULL) {
        fputs(" (default ", out);
        put(out, f->fallback);
        fputc(')', out);
    }
    fputs(".\n", out);
}

/* Commands that take a plan have the flags of run, which are told there. */
static bool
is_of_run(const flag *f, unsigned bit)
{
    return (bit & ON_PLAN & ~(unsigned)ON_RUN) != 0 && (f->on & ON_RUN) != 0;
}

/* The flags that `bit` has, without those of every command when `own`. */
static void
put_flags(FILE *out, unsigned bit, bool own)
{
    unsigned count;
    const flag *all = flags(&count);

    for (enum flag_group group = 0; group < GROUP_COUNT; group++) {
        bool titled = !own || bit != ON_RUN;

        for (unsigned i = 0; i < count; i++) {
            if (all[i].group != group || !flag_is_shown(&all[i], bit) ||
                (own && (all[i].on == (unsigned)ON_ALL || is_of_run(&all[i], bit))))
                continue;
            if (!titled)
                fprintf(out, ".PP\n\\fI%s\\fR\n", flag_group_name(group));
            titled = true;
            put_flag(out, &all[i]);
        }
    }
}

static void
put_command(FILE *out, const command *c, unsigned bit)
{
    fputs(".SS lens ", out);
    put(out, c->name);
    if (c->arguments != NULL) {
        fputc(' ', out);
        put(out, c->arguments);
    }
    fputc('\n', out);
    put(out, c->summary);
    fputs(".\n", out);
    if (c->text != NULL) {
        put(out, c->text);
        fputc('\n', out);
    }
    put_flags(out, bit, true);
    if (c->examples != NULL) {
        fputs(".PP\n.nf\n", out);
        put(out, c->examples);
        fputs("\n.fi\n", out);
    }
}

static void
put_ends(FILE *out)
{
    fputs(
        ".SH EXIT STATUS\n"
        ".TP\n0\nDone.\n"
        ".TP\n1\nA goal of \\-\\-slo was not met.\n"
        ".TP\n2\nUsage, plan, a missing key, a plugin that cannot be opened.\n"
        ".TP\n3\nNothing succeeded, or given up by \\-\\-abort\\-after.\n"
        ".TP\n4\nThe verdict is INVALID, with \\-\\-strict.\n"
        ".TP\n5\nAn export is incomplete (\\fBlens export\\fR, and \\-\\-strict).\n"
        ".TP\n130, 143\nInterrupted; what was measured is saved and summarised.\n"
        ".SH ENVIRONMENT\n"
        ".TP\nLENS_PLUGIN_PATH\nDirectories searched for plugins, behind "
        "\\-\\-plugin\\-dir.\n"
        ".TP\nNO_COLOR\nWhen set, nothing is coloured.\n"
        ".PP\nKeys are read from the variable that \\-\\-api\\-key\\-env names, or from "
        "the usual\none of a provider when its own URL is used.\n"
        ".SH FILES\n"
        ".TP\n~/.config/lens/presets.yaml\nOwn names for \\-\\-provider: NAME: "
        "{provider: NAME, url: URL, api_key_env: NAME}.\n",
        out);
}

void
man_print(FILE *out)
{
    unsigned count;
    const command *all = commands(&count);

    fputs(".TH LENS 1 \"\" \"lens " LENS_VERSION "\" \"User Commands\"\n"
          ".SH NAME\nlens \\- measure endpoints of large language models\n"
          ".SH SYNOPSIS\n\\fBlens\\fR \\fICOMMAND\\fR [\\fIarguments\\fR] "
          "[\\fIflags\\fR]\n"
          ".SH DESCRIPTION\n"
          "lens measures what a caller of a large language model feels and pays: time to "
          "first\ntoken, the pace of the stream, throughput, errors, for any provider "
          "under a chosen\nworkload. Times come from the kernel, and every result says "
          "how far it can be\nbelieved.\n"
          ".PP\nDurations are written 250ms, 10s, 5m, 1h; sizes 64KiB. In NAME:k=v,k=v a "
          "comma inside\na value is written \\e,; in a list the separator is +. \\-\\- "
          "ends the flags.\n"
          ".SH COMMANDS\n",
          out);
    for (unsigned i = 0; i < count; i++)
        put_command(out, &all[i], 1U << i);
    fputs(".SH GLOBAL FLAGS\nBefore or after the command.\n", out);
    put_flags(out, 0x80000000U, false);
    put_ends(out);
}
