/* options: what the exporter can be told. */
#pragma once

#include <lens/plugin.h>

#define PROMETHEUS_OPTIONS 19
extern const struct lens_option prometheus_options[PROMETHEUS_OPTIONS];
