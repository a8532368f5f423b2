/* host-private: between host.c and instance.c. */
#pragma once

#include "host.h"

/* Fills the service table. */
void host_init(struct lens_host *host);
