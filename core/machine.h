/* machine: what lens runs on: the fingerprint that a result carries, and its limits. */
#pragma once

#include <stdint.h>

#include "result.h"

/* Host name, CPU, cores and kernel. */
void machine_describe(run_info *info);
/* The calling thread gives way to all others of the machine, for good (Linux: nice is a
 * thread's own). */
void machine_step_back(void);
/* Raises the limit of open files as far as it goes; returns what it is now. */
int64_t machine_raise_file_limit(void);
/* Bytes of memory that this program held at most; 0: unknown. Any thread. */
int64_t machine_max_rss(void);
