/* command: what main can call; one file each, cmd-NAME.c. The return value is the exit
 * code. */
#pragma once

#include "args.h"

int cmd_run(const args *a);
int cmd_show(const args *a);
int cmd_export(const args *a);
int cmd_import(const args *a);
int cmd_init(const args *a);
int cmd_validate(const args *a);
int cmd_decode(const args *a);
int cmd_mock(const args *a);
int cmd_models(const args *a);
int cmd_calibrate(const args *a);
int cmd_cost(const args *a);
int cmd_prices(const args *a);
int cmd_plugin(const args *a); /* list | info | check | new */
