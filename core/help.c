#include "help.h"

#include <glib.h>
#include <string.h>

enum { WIDTH = 80, FLAG_COLUMN = 30 };

static void
print_indented(FILE *out, const char *text, const char *indent)
{
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);

    for (unsigned i = 0; lines[i] != NULL; i++)
        fprintf(out, "%s%s\n", indent, lines[i]);
}

/* `text` broken at spaces, each line but the first indented to `column`. */
static void
print_wrapped(FILE *out, const char *text, int column)
{
    g_auto(GStrv) words = g_strsplit(text, " ", -1);
    int at = column;

    for (unsigned i = 0; words[i] != NULL; i++) {
        const int size = (int)strlen(words[i]);

        if (at > column && at + 1 + size > WIDTH) {
            fprintf(out, "\n%*s", column, "");
            at = column;
        }
        fprintf(out, "%s%s", at > column ? " " : "", words[i]);
        at += size + (at > column);
    }
    fputc('\n', out);
}

static void
print_flag(FILE *out, const flag *f)
{
    g_autofree char *shape =
        f->letter != 0 ? g_strdup_printf("-%c, --%s%s%s", f->letter, f->name,
                                         f->value != NULL ? " " : "",
                                         f->value != NULL ? f->value : "")
                       : g_strdup_printf("--%s%s%s", f->name, f->value != NULL ? " " : "",
                                         f->value != NULL ? f->value : "");
    g_autofree char *text = f->fallback != NULL && f->value != NULL
                                ? g_strdup_printf("%s (default %s)", f->help, f->fallback)
                                : g_strdup(f->help);
    const bool short_enough = strlen(shape) < FLAG_COLUMN - 3;

    if (short_enough)
        fprintf(out, "  %-*s", FLAG_COLUMN - 2, shape);
    else
        fprintf(out, "  %s\n%*s", shape, FLAG_COLUMN, "");
    print_wrapped(out, text, FLAG_COLUMN);
}

/* Groups are for the many flags of plans; other commands have one title for all. */
static void
print_title(FILE *out, enum flag_group group, unsigned bit, bool *plain)
{
    const bool grouped = group == GROUP_GLOBAL || (bit & ON_PLAN) != 0;

    if (grouped)
        fprintf(out, "\n%s:\n", flag_group_name(group));
    else if (!*plain)
        fputs("\nFlags:\n", out);
    *plain = *plain || !grouped;
}

static void
print_flags(FILE *out, unsigned bit)
{
    unsigned count;
    const flag *all = flags(&count);
    bool plain = false;

    for (enum flag_group group = 0; group < GROUP_COUNT; group++) {
        bool titled = false;

        for (unsigned i = 0; i < count; i++) {
            if (all[i].group != group || !flag_is_shown(&all[i], bit))
                continue;
            if (!titled)
                print_title(out, group, bit, &plain);
            titled = true;
            print_flag(out, &all[i]);
        }
    }
}

static void
print_command(FILE *out, const command *c, unsigned bit)
{
    fprintf(out, "lens %s%s%s\n\n%s.\n", c->name, c->arguments != NULL ? " " : "",
            c->arguments != NULL ? c->arguments : "", c->summary);
    if (c->text != NULL)
        print_indented(out, c->text, "");
    print_flags(out, bit);
    if (c->examples != NULL) {
        fputs("\nExamples:\n", out);
        print_indented(out, c->examples, "  ");
    }
}

void
version_print(FILE *out)
{
    fputs("lens " LENS_VERSION "\n", out);
}

void
help_print_overview(FILE *out)
{
    unsigned count;
    const command *all = commands(&count);

    fputs("lens measures what a caller of a large language model feels and pays.\n\n"
          "lens COMMAND [arguments] [flags]\n\nCommands:\n",
          out);
    for (unsigned i = 0; i < count; i++)
        fprintf(out, "  %-14s %s\n", all[i].name, all[i].summary);
    print_flags(out, 0x80000000U); /* only flags of every command have this bit */
    fputs("\nStart with 'lens run URL', or with 'lens run' against the built-in mock.\n"
          "'lens help COMMAND' shows the flags of a command, 'man lens' all of them.\n",
          out);
}

bool
help_print_command(const char *name, const char *sub, FILE *out)
{
    const unsigned bit = command_bit(name, sub);
    unsigned count;
    const command *all = commands(&count);

    if (bit != 0) {
        print_command(out, command_of(bit), bit);
        return true;
    }
    if (sub != NULL || !command_has_subcommands(name))
        return false;
    fprintf(out, "lens %s SUBCOMMAND\n\nSubcommands:\n", name);
    for (unsigned i = 0; i < count; i++)
        if (g_str_has_prefix(all[i].name, name) && all[i].name[strlen(name)] == ' ')
            fprintf(out, "  %s%s%s\n      %s\n", all[i].name,
                    all[i].arguments != NULL ? " " : "",
                    all[i].arguments != NULL ? all[i].arguments : "", all[i].summary);
    fprintf(out, "\n'lens help %s SUBCOMMAND' shows the flags.\n", name);
    return true;
}
