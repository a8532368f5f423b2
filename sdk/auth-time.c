#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "auth-private.h"

/* Seconds east of UTC of "Z", "+01:00", "+0100" or nothing. */
static int
zone_seconds(const char *text, long *ret)
{
    int hours, minutes;

    *ret = 0;
    if (*text == '\0' || strcmp(text, "Z") == 0 || strcmp(text, "z") == 0)
        return 1;
    if ((*text != '+' && *text != '-') ||
        (sscanf(text + 1, "%2d:%2d", &hours, &minutes) != 2 &&
         sscanf(text + 1, "%2d%2d", &hours, &minutes) != 2))
        return 0;
    *ret = (hours * 3600L + minutes * 60L) * (*text == '-' ? -1 : 1);
    return 1;
}

int64_t
auth_time(const char *text)
{
    struct tm t = { 0 };
    int used = 0;
    long zone;

    if (sscanf(text, "%4d-%2d-%2d%*1[Tt ]%2d:%2d:%2d%n", &t.tm_year, &t.tm_mon,
               &t.tm_mday, &t.tm_hour, &t.tm_min, &t.tm_sec, &used) != 6 ||
        used == 0)
        return 0;
    text += used;
    if (*text == '.')
        for (text++; isdigit((unsigned char)*text);)
            text++;
    if (!zone_seconds(text, &zone))
        return 0;
    t.tm_year -= 1900;
    t.tm_mon -= 1;
    return ((int64_t)timegm(&t) - zone) * 1000000000;
}
