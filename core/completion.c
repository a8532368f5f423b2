#include "help.h"

#include <glib.h>
#include <string.h>

static bool
is_shown(const flag *f, unsigned bit)
{
    return flag_is_shown(f, bit);
}

static bool
takes_file(const flag *f)
{
    return f->type == SCALAR_PATH;
}

/* The first words of commands, each once: "plugin list" and "plugin info" are plugin. */
static GPtrArray *
first_words(void)
{
    GPtrArray *words = g_ptr_array_new_with_free_func(g_free);
    unsigned count;
    const command *all = commands(&count);

    for (unsigned i = 0; i < count; i++) {
        char *word = g_strndup(all[i].name, strcspn(all[i].name, " "));

        if (words->len > 0 && g_str_equal(g_ptr_array_index(words, words->len - 1), word))
            g_free(word);
        else
            g_ptr_array_add(words, word);
    }
    return words;
}

static const char *
subcommand(const command *c)
{
    const char *space = strchr(c->name, ' ');

    return space != NULL ? space + 1 : NULL;
}

/* Single quotes for a shell. */
static char *
quoted(const char *text)
{
    g_auto(GStrv) parts = g_strsplit(text, "'", -1);

    return g_strjoinv("'\\''", parts);
}

/* ---- bash ---- */

static void
bash_flag_words(FILE *out, unsigned bit)
{
    unsigned count;
    const flag *all = flags(&count);

    for (unsigned i = 0; i < count; i++) {
        if (!is_shown(&all[i], bit))
            continue;
        fprintf(out, " --%s", all[i].name);
        if (all[i].letter != 0)
            fprintf(out, " -%c", all[i].letter);
    }
}

/* What follows a flag that takes a value: files, choices, or nothing to offer. */
static void
bash_values(FILE *out)
{
    unsigned count;
    const flag *all = flags(&count);
    g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);

    for (unsigned i = 0; i < count; i++) {
        const flag *f = &all[i];

        if (f->value == NULL || !g_hash_table_add(seen, (void *)f->name))
            continue;
        fprintf(out, "    --%s", f->name);
        if (f->letter != 0)
            fprintf(out, "|-%c", f->letter);
        fputs(") ", out);
        if (takes_file(f)) {
            fputs("compopt -o filenames; COMPREPLY=($(compgen -f -- \"$word\"));", out);
        } else if (f->type == SCALAR_CHOICE) {
            g_auto(GStrv) choices = g_strsplit(f->range, "|", -1);
            g_autofree char *list = g_strjoinv(" ", choices);

            fprintf(out, "COMPREPLY=($(compgen -W '%s' -- \"$word\"));", list);
        }
        fputs(" return ;;\n", out);
    }
}

static void
bash_commands(FILE *out)
{
    unsigned count;
    const command *all = commands(&count);

    for (unsigned i = 0; i < count; i++) {
        fprintf(out, "    '%s') flags='", all[i].name);
        bash_flag_words(out, 1U << i);
        fputs("' ;;\n", out);
    }
    fputs("    *) flags='", out);
    bash_flag_words(out, 0x80000000U);
    fputs("' ;;\n", out);
}

static void
bash_subcommands(FILE *out)
{
    unsigned count;
    const command *all = commands(&count);

    for (unsigned i = 0; i < count; i++)
        if (subcommand(&all[i]) != NULL)
            fprintf(out, "%s ", subcommand(&all[i]));
}

static void
bash_print(FILE *out)
{
    g_autoptr(GPtrArray) words = first_words();

    fputs("# bash completion of lens, made by 'lens help --completion bash'\n"
          "_lens()\n{\n"
          "  local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]}\n"
          "  local name= sub= flags= i\n"
          "  COMPREPLY=()\n"
          "  for ((i = 1; i < COMP_CWORD; i++)); do\n"
          "    case ${COMP_WORDS[i]} in\n"
          "    --plugin-dir) ((i++)) ;;\n"
          "    -*) ;;\n"
          "    *) if [[ -z $name ]]; then name=${COMP_WORDS[i]}\n"
          "       elif [[ -z $sub ]]; then sub=${COMP_WORDS[i]}; fi ;;\n"
          "    esac\n"
          "  done\n"
          "  case $before in\n",
          out);
    bash_values(out);
    fputs("  esac\n"
          "  [[ $name == plugin && -n $sub ]] && name=\"plugin $sub\"\n"
          "  case $name in\n",
          out);
    bash_commands(out);
    fputs("  esac\n"
          "  if [[ $word == -* ]]; then\n"
          "    COMPREPLY=($(compgen -W \"$flags\" -- \"$word\"))\n"
          "  elif [[ -z $name || $name == help ]]; then\n"
          "    COMPREPLY=($(compgen -W '",
          out);
    for (unsigned i = 0; i < words->len; i++)
        fprintf(out, "%s ", (char *)g_ptr_array_index(words, i));
    fputs("' -- \"$word\"))\n"
          "  elif [[ $name == plugin ]]; then\n"
          "    COMPREPLY=($(compgen -W '",
          out);
    bash_subcommands(out);
    fputs("' -- \"$word\"))\n"
          "  else\n"
          "    compopt -o filenames\n"
          "    COMPREPLY=($(compgen -f -- \"$word\"))\n"
          "  fi\n"
          "}\n"
          "complete -F _lens lens\n",
          out);
}

/* ---- zsh ---- */

/* "NAME:SUMMARY" for _describe. */
static void
zsh_describe(FILE *out, const char *name, const char *summary)
{
    g_autofree char *text = quoted(summary);

    fprintf(out, "    '%s:%s'\n", name, text);
}

/* Brackets and colons have a meaning inside _arguments. */
static char *
zsh_text(const char *text)
{
    GString *out = g_string_new(NULL);

    for (; *text != '\0'; text++) {
        if (strchr("[]:\\", *text) != NULL)
            g_string_append_c(out, '\\');
        if (*text == '\'')
            g_string_append(out, "'\\''");
        else
            g_string_append_c(out, *text);
    }
    return g_string_free(out, FALSE);
}

static void
zsh_spec(FILE *out, const flag *f, const char *spelling)
{
    g_autofree char *text = zsh_text(f->help);
    g_autofree char *value = f->value != NULL ? zsh_text(f->value) : NULL;

    fprintf(out, "        '%s%s[%s]", f->marks & FLAG_REPEATABLE ? "*" : "", spelling,
            text);
    if (f->value != NULL && takes_file(f)) {
        fprintf(out, ":%s:_files", value);
    } else if (f->value != NULL && f->type == SCALAR_CHOICE) {
        g_auto(GStrv) choices = g_strsplit(f->range, "|", -1);
        g_autofree char *list = g_strjoinv(" ", choices);

        fprintf(out, ":%s:(%s)", value, list);
    } else if (f->value != NULL) {
        fprintf(out, ":%s: ", value);
    }
    fputs("' \\\n", out);
}

static void
zsh_flags(FILE *out, unsigned bit)
{
    unsigned count;
    const flag *all = flags(&count);

    for (unsigned i = 0; i < count; i++) {
        g_autofree char *spelling = NULL;

        if (!is_shown(&all[i], bit))
            continue;
        spelling =
            g_strdup_printf("--%s%s", all[i].name, all[i].value != NULL ? "=" : "");
        zsh_spec(out, &all[i], spelling);
        if (all[i].letter != 0) {
            const char letter[] = { '-', all[i].letter, all[i].value != NULL ? '+' : '\0',
                                    '\0' };

            zsh_spec(out, &all[i], letter);
        }
    }
}

static void
zsh_case(FILE *out, const command *c, unsigned bit)
{
    fprintf(out, "    '%s')\n      _arguments -s -S \\\n", c->name);
    zsh_flags(out, bit);
    fputs("        '*:file:_files'\n      ;;\n", out);
}

static void
zsh_print(FILE *out)
{
    unsigned count;
    const command *all = commands(&count);

    fputs("#compdef lens\n# made by 'lens help --completion zsh'\n"
          "_lens() {\n"
          "  local -a names subs\n  names=(\n",
          out);
    for (unsigned i = 0; i < count; i++)
        if (subcommand(&all[i]) == NULL)
            zsh_describe(out, all[i].name, all[i].summary);
    fputs("    'plugin:List, show, prove and begin plugins'\n  )\n  subs=(\n", out);
    for (unsigned i = 0; i < count; i++)
        if (subcommand(&all[i]) != NULL)
            zsh_describe(out, subcommand(&all[i]), all[i].summary);
    fputs("  )\n"
          "  if (( CURRENT == 2 )) && [[ $PREFIX != -* ]]; then\n"
          "    _describe command names; return\n"
          "  fi\n"
          "  local name=${words[2]}\n"
          "  if [[ $name == plugin ]]; then\n"
          "    if (( CURRENT == 3 )); then _describe subcommand subs; return; fi\n"
          "    name=\"plugin ${words[3]}\"\n"
          "  fi\n"
          "  case $name in\n",
          out);
    for (unsigned i = 0; i < count; i++)
        zsh_case(out, &all[i], 1U << i);
    fputs("    *)\n      _arguments -s -S \\\n", out);
    zsh_flags(out, 0x80000000U);
    fputs("        '*:file:_files'\n      ;;\n"
          "  esac\n"
          "}\n"
          "_lens \"$@\"\n",
          out);
}

/* ---- fish ---- */

static void
fish_flag(FILE *out, const flag *f, const char *condition)
{
    g_autofree char *text = quoted(f->help);

    fprintf(out, "complete -c lens%s%s%s -l %s", condition != NULL ? " -n '" : "",
            condition != NULL ? condition : "", condition != NULL ? "'" : "", f->name);
    if (f->letter != 0)
        fprintf(out, " -s %c", f->letter);
    if (f->value != NULL && takes_file(f)) {
        fputs(" -r -F", out);
    } else if (f->value != NULL && f->type == SCALAR_CHOICE) {
        g_auto(GStrv) choices = g_strsplit(f->range, "|", -1);
        g_autofree char *list = g_strjoinv(" ", choices);

        fprintf(out, " -x -a '%s'", list);
    } else if (f->value != NULL) {
        fputs(" -x", out);
    }
    fprintf(out, " -d '%s'\n", text);
}

static void
fish_command(FILE *out, const command *c)
{
    g_autofree char *text = quoted(c->summary);

    if (subcommand(c) == NULL)
        fprintf(out, "complete -c lens -n __fish_use_subcommand -f -a %s -d '%s'\n",
                c->name, text);
    else
        fprintf(out,
                "complete -c lens -n '__fish_seen_subcommand_from plugin' -f -a %s "
                "-d '%s'\n",
                subcommand(c), text);
}

/* "__fish_seen_subcommand_from run validate" for the commands that know a flag. */
static char *
fish_condition(const flag *f)
{
    g_autoptr(GPtrArray) words = first_words();
    GString *out = g_string_new("__fish_seen_subcommand_from");
    unsigned count;
    const command *all = commands(&count);

    for (unsigned w = 0; w < words->len; w++) {
        const char *word = g_ptr_array_index(words, w);
        bool has = false;

        for (unsigned i = 0; i < count; i++)
            has =
                has || ((f->on & (1U << i)) != 0 && g_str_has_prefix(all[i].name, word));
        if (has)
            g_string_append_printf(out, " %s", word);
    }
    return g_string_free(out, FALSE);
}

static void
fish_print(FILE *out)
{
    unsigned count;
    const command *all = commands(&count);
    const flag *every;

    fputs("# fish completion of lens, made by 'lens help --completion fish'\n", out);
    for (unsigned i = 0; i < count; i++)
        fish_command(out, &all[i]);
    fputs("complete -c lens -n __fish_use_subcommand -f -a plugin -d 'List, show, prove "
          "and begin plugins'\n",
          out);
    every = flags(&count);
    for (unsigned i = 0; i < count; i++) {
        g_autofree char *condition =
            every[i].on != (unsigned)ON_ALL ? fish_condition(&every[i]) : NULL;

        if ((every[i].marks & FLAG_HIDDEN) == 0)
            fish_flag(out, &every[i], condition);
    }
}

bool
completion_print(const char *shell, FILE *out)
{
    static const struct {
        const char *shell;
        void (*print)(FILE *);
    } shells[] = { { "bash", bash_print }, { "zsh", zsh_print }, { "fish", fish_print } };

    for (size_t i = 0; i < G_N_ELEMENTS(shells); i++)
        if (g_str_equal(shells[i].shell, shell)) {
            shells[i].print(out);
            return true;
        }
    return false;
}
