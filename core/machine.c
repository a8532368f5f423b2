#include "machine.h"

#include <string.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <unistd.h>

static char *
cpu_model(void)
{
    g_autofree char *text = NULL;
    const char *line;

    if (!g_file_get_contents("/proc/cpuinfo", &text, NULL, NULL))
        return g_strdup("unknown");
    line = strstr(text, "model name");
    line = line != NULL ? strchr(line, ':') : NULL;
    if (line == NULL)
        return g_strdup("unknown");
    return g_strstrip(g_strndup(line + 1, strcspn(line + 1, "\n")));
}

void
machine_describe(run_info *info)
{
    struct utsname name = { 0 };

    uname(&name);
    info->host_name = g_strdup(name.nodename);
    info->host_kernel = g_strdup_printf("%s %s", name.sysname, name.release);
    info->host_cpu = cpu_model();
    info->host_cores = (unsigned)sysconf(_SC_NPROCESSORS_ONLN);
}

int64_t
machine_raise_file_limit(void)
{
    const rlim_t wanted = 1048576;
    struct rlimit limit = { 0 };

    getrlimit(RLIMIT_NOFILE, &limit);
    if (limit.rlim_cur < wanted) {
        struct rlimit raised = { wanted, MAX(limit.rlim_max, wanted) };

        if (setrlimit(RLIMIT_NOFILE, &raised) <
            0) { /* only root may pass the hard limit */
            raised.rlim_cur = raised.rlim_max = limit.rlim_max;
            setrlimit(RLIMIT_NOFILE, &raised);
        }
        getrlimit(RLIMIT_NOFILE, &limit);
    }
    return limit.rlim_cur == RLIM_INFINITY ? INT64_MAX : (int64_t)limit.rlim_cur;
}

/* getrusage would also count what the program before the last exec held. */
int64_t
machine_max_rss(void)
{
    g_autofree char *text = NULL;
    const char *line;

    if (!g_file_get_contents("/proc/self/status", &text, NULL, NULL))
        return 0;
    line = strstr(text, "VmHWM:");
    return line == NULL ? 0 : g_ascii_strtoll(line + strlen("VmHWM:"), NULL, 10) * 1024;
}

void
machine_step_back(void)
{
    setpriority(PRIO_PROCESS, (id_t)gettid(), 10);
}
