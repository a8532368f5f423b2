#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "error.h"
#include "plugin-load.h"

#if __ELF_NATIVE_CLASS == 64
#define OUR_CLASS ELFCLASS64
#else
#define OUR_CLASS ELFCLASS32
#endif

static bool
refuse(GError **error, const char *why)
{
    g_set_error_literal(error, LENS_ERROR, LENS_ERROR_PLUGIN, why);
    return false;
}

static bool
refuse_truncated(GError **error, uint64_t size, uint64_t needed)
{
    g_set_error(error, LENS_ERROR, LENS_ERROR_PLUGIN,
                "truncated file: it has %" G_GUINT64_FORMAT
                " bytes, its headers describe %" G_GUINT64_FORMAT,
                size, needed);
    return false;
}

static bool
read_at(int fd, void *to, size_t size, uint64_t offset)
{
    return pread(fd, to, size, (off_t)offset) == (ssize_t)size;
}

/* The machine that this very program is built for. */
static unsigned
our_machine(void)
{
    static unsigned machine;
    ElfW(Ehdr) own;
    int fd;

    if (machine != 0)
        return machine;
    fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    if (fd >= 0 && read_at(fd, &own, sizeof own, 0))
        machine = own.e_machine;
    if (fd >= 0)
        close(fd);
    return machine;
}

/* Sets `end` to the end of what the headers promise; false: `end` cannot be a number of
 * bytes. */
static bool
grow_end(uint64_t *end, uint64_t offset, uint64_t size)
{
    uint64_t sum;

    if (__builtin_add_overflow(offset, size, &sum))
        return false;
    *end = MAX(*end, sum);
    return true;
}

/* Where segments and section headers end. */
static bool
promised_size(int fd, const ElfW(Ehdr) * head, uint64_t file_size, uint64_t *ret_end)
{
    uint64_t end = sizeof *head;

    if (!grow_end(&end, head->e_phoff, (uint64_t)head->e_phnum * sizeof(ElfW(Phdr))) ||
        (head->e_shoff != 0 &&
         !grow_end(&end, head->e_shoff, (uint64_t)head->e_shnum * head->e_shentsize)))
        return false;
    for (unsigned i = 0; i < head->e_phnum && end <= file_size; i++) {
        ElfW(Phdr) segment;

        if (!read_at(fd, &segment, sizeof segment, head->e_phoff + i * sizeof segment))
            return false;
        if (segment.p_type != PT_NULL &&
            !grow_end(&end, segment.p_offset, segment.p_filesz))
            return false;
    }
    *ret_end = end;
    return true;
}

static bool
check_open(int fd, uint64_t size, GError **error)
{
    ElfW(Ehdr) head;
    uint64_t end = 0;

    if (size == 0)
        return refuse(error, "empty file");
    if (size < SELFMAG || !read_at(fd, head.e_ident, SELFMAG, 0) ||
        memcmp(head.e_ident, ELFMAG, SELFMAG) != 0)
        return refuse(error, "not a shared object: it does not begin as an ELF file");
    if (size < sizeof head || !read_at(fd, &head, sizeof head, 0))
        return refuse_truncated(error, size, sizeof head);
    if (head.e_ident[EI_CLASS] != OUR_CLASS || head.e_machine != our_machine()) {
        g_set_error(error, LENS_ERROR, LENS_ERROR_PLUGIN,
                    "built for another machine: ELF class %u, machine %u; this lens is "
                    "class %u, machine %u",
                    head.e_ident[EI_CLASS], head.e_machine, OUR_CLASS, our_machine());
        return false;
    }
    if (head.e_type != ET_DYN || head.e_phentsize != sizeof(ElfW(Phdr)) ||
        head.e_phnum == 0)
        return refuse(error, "not a shared object: an ELF file of another type");
    if (!promised_size(fd, &head, size, &end))
        return refuse(error, "not a shared object: its ELF headers make no sense");
    if (end > size)
        return refuse_truncated(error, size, end);
    return true;
}

bool
elf_check(const char *path, GError **error)
{
    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    struct stat st;
    bool good;

    if (fd < 0 || fstat(fd, &st) != 0) {
        g_set_error(error, LENS_ERROR, LENS_ERROR_PLUGIN, "cannot read it: %s",
                    g_strerror(errno));
        if (fd >= 0)
            close(fd);
        return false;
    }
    good = S_ISREG(st.st_mode) ? check_open(fd, (uint64_t)st.st_size, error)
                               : refuse(error, "not a file");
    close(fd);
    return good;
}
