/* origin: what a run is, kept for the attributes of resource, points and spans. */
#pragma once

#include <lens/plugin.h>

#include "fields.h"

struct origin_target {
    char *name, *model;
    char *address;         /* server.address; NULL: unknown */
    int32_t port;          /* server.port; 0: unknown */
    const char *operation; /* gen_ai.operation.name */
    char *provider;        /* gen_ai.provider.name */
};

struct origin {
    char *id, *version, *host_name, *service_name;
    int64_t start_unix_ns, interval_ns;
    struct origin_target *targets;
    uint32_t target_count;
    char **stages;
    uint32_t stage_count;
};

/* Copies; `service_name` NULL: from the environment. 0: no memory. */
int origin_take(struct origin *o, const struct lens_run *run, const char *service_name);
void origin_clear(struct origin *o);

/* The resource of a request, with OTEL_RESOURCE_ATTRIBUTES. */
void origin_resource(const struct origin *o, struct tree *t, struct node *to);
/* The instrumentation scope. */
void origin_scope(const struct origin *o, struct tree *t, struct node *to);
/* Of every point and span: target, stage, operation, provider, model, server. */
void origin_attributes(const struct origin *o, uint32_t target, uint32_t stage,
                       struct tree *t, struct node *to, const struct otlp_field *f);
const struct origin_target *origin_target(const struct origin *o, uint32_t target);
