/* trace: ids of traces and spans, as W3C Trace Context wants them, derived from run and
 * request: the target can be told before anything is stored, and a repeat is the same. */
#pragma once

#include <stdint.h>

/* What all traces of a run have in common, from the run's id. */
uint64_t trace_seed(const char *run_id);
/* Of a request, from 1. */
void trace_ids(uint64_t seed, uint64_t request, uint8_t ret_trace[16],
               uint8_t ret_span[8]);
/* Of an attempt of it, from 0. */
void trace_attempt(const uint8_t trace[16], uint32_t attempt, uint8_t ret_span[8]);

#define TRACE_PARENT_SIZE 56
/* "00-TRACE-SPAN-01", terminated: sampled. */
void trace_parent(const uint8_t trace[16], const uint8_t span[8],
                  char ret[TRACE_PARENT_SIZE]);
