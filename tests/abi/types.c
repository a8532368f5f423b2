/* Every struct of the ABI as the parameter of an exported function: what abidiff
 * compares. Each directly, since the suppression of growth also covers what is only
 * reached through another struct. */
#include <lens/plugin.h>

/* Different bodies, or the compiler makes one function of all. */
#define SHOW(type)                              \
    LENS_EXPORT int show_##type(struct type *); \
    int show_##type(struct type *p)             \
    {                                           \
        (void)p;                                \
        return __LINE__;                        \
    }

SHOW(lens_answer)
SHOW(lens_api)
SHOW(lens_arrival)
SHOW(lens_ask)
SHOW(lens_bytes)
SHOW(lens_delivery)
SHOW(lens_estimate)
SHOW(lens_event)
SHOW(lens_exporter)
SHOW(lens_failure)
SHOW(lens_head)
SHOW(lens_host)
SHOW(lens_http_answer)
SHOW(lens_http_request)
SHOW(lens_mark)
SHOW(lens_metric)
SHOW(lens_mock)
SHOW(lens_mock_request)
SHOW(lens_mock_step)
SHOW(lens_mock_turn)
SHOW(lens_number)
SHOW(lens_option)
SHOW(lens_outcome)
SHOW(lens_pair)
SHOW(lens_part)
SHOW(lens_plugin)
SHOW(lens_provider)
SHOW(lens_provider_args)
SHOW(lens_quantile)
SHOW(lens_result)
SHOW(lens_run)
SHOW(lens_sample)
SHOW(lens_schema)
SHOW(lens_sink)
SHOW(lens_snapshot)
SHOW(lens_stage_info)
SHOW(lens_summary)
SHOW(lens_target_info)
SHOW(lens_turn)
SHOW(lens_workload)
SHOW(lens_workload_args)
