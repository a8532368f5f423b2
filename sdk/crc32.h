/* crc32: the checksum of zlib and Ethernet (reflected 0xEDB88320). */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* Goes on from `before`, 0 at first. */
uint32_t lens_crc32(uint32_t before, const void *data, size_t size);
