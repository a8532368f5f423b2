/* report-table: the tables of the report: latencies of one result, and all results side
 * by side. */
#pragma once

#include "paper.h"
#include "result.h"

void report_latencies(const paper *p, const result *r);
void report_comparison(const paper *p, const run_info *run);
enum ink report_ink(const verdict *v);
