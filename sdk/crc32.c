#include "crc32.h"

#include <endian.h>
#include <string.h>

/* The table of a byte is linear over its bits, so eight numbers make all 256 of them.
 * Row k: the byte followed by k zero bytes, for eight bytes a step. */
#define BIT(i, bit, value) ((i) >> (bit)&1 ? UINT32_C(value) : 0)
#define E0(i)                                                                \
    (BIT(i, 0, 0x77073096) ^ BIT(i, 1, 0xee0e612c) ^ BIT(i, 2, 0x076dc419) ^ \
     BIT(i, 3, 0x0edb8832) ^ BIT(i, 4, 0x1db71064) ^ BIT(i, 5, 0x3b6e20c8) ^ \
     BIT(i, 6, 0x76dc4190) ^ BIT(i, 7, 0xedb88320))
#define E1(i)                                                                \
    (BIT(i, 0, 0x191b3141) ^ BIT(i, 1, 0x32366282) ^ BIT(i, 2, 0x646cc504) ^ \
     BIT(i, 3, 0xc8d98a08) ^ BIT(i, 4, 0x4ac21251) ^ BIT(i, 5, 0x958424a2) ^ \
     BIT(i, 6, 0xf0794f05) ^ BIT(i, 7, 0x3b83984b))
#define E2(i)                                                                \
    (BIT(i, 0, 0x01c26a37) ^ BIT(i, 1, 0x0384d46e) ^ BIT(i, 2, 0x0709a8dc) ^ \
     BIT(i, 3, 0x0e1351b8) ^ BIT(i, 4, 0x1c26a370) ^ BIT(i, 5, 0x384d46e0) ^ \
     BIT(i, 6, 0x709a8dc0) ^ BIT(i, 7, 0xe1351b80))
#define E3(i)                                                                \
    (BIT(i, 0, 0xb8bc6765) ^ BIT(i, 1, 0xaa09c88b) ^ BIT(i, 2, 0x8f629757) ^ \
     BIT(i, 3, 0xc5b428ef) ^ BIT(i, 4, 0x5019579f) ^ BIT(i, 5, 0xa032af3e) ^ \
     BIT(i, 6, 0x9b14583d) ^ BIT(i, 7, 0xed59b63b))
#define E4(i)                                                                \
    (BIT(i, 0, 0x3d6029b0) ^ BIT(i, 1, 0x7ac05360) ^ BIT(i, 2, 0xf580a6c0) ^ \
     BIT(i, 3, 0x30704bc1) ^ BIT(i, 4, 0x60e09782) ^ BIT(i, 5, 0xc1c12f04) ^ \
     BIT(i, 6, 0x58f35849) ^ BIT(i, 7, 0xb1e6b092))
#define E5(i)                                                                \
    (BIT(i, 0, 0xcb5cd3a5) ^ BIT(i, 1, 0x4dc8a10b) ^ BIT(i, 2, 0x9b914216) ^ \
     BIT(i, 3, 0xec53826d) ^ BIT(i, 4, 0x03d6029b) ^ BIT(i, 5, 0x07ac0536) ^ \
     BIT(i, 6, 0x0f580a6c) ^ BIT(i, 7, 0x1eb014d8))
#define E6(i)                                                                \
    (BIT(i, 0, 0xa6770bb4) ^ BIT(i, 1, 0x979f1129) ^ BIT(i, 2, 0xf44f2413) ^ \
     BIT(i, 3, 0x33ef4e67) ^ BIT(i, 4, 0x67de9cce) ^ BIT(i, 5, 0xcfbd399c) ^ \
     BIT(i, 6, 0x440b7579) ^ BIT(i, 7, 0x8816eaf2))
#define E7(i)                                                                \
    (BIT(i, 0, 0xccaa009e) ^ BIT(i, 1, 0x4225077d) ^ BIT(i, 2, 0x844a0efa) ^ \
     BIT(i, 3, 0xd3e51bb5) ^ BIT(i, 4, 0x7cbb312b) ^ BIT(i, 5, 0xf9766256) ^ \
     BIT(i, 6, 0x299dc2ed) ^ BIT(i, 7, 0x533b85da))
#define ROW4(e, i) e(i), e((i) + 1), e((i) + 2), e((i) + 3)
#define ROW16(e, i) ROW4(e, i), ROW4(e, (i) + 4), ROW4(e, (i) + 8), ROW4(e, (i) + 12)
#define ROW64(e, i) \
    ROW16(e, i), ROW16(e, (i) + 16), ROW16(e, (i) + 32), ROW16(e, (i) + 48)
#define ROW(e) ROW64(e, 0), ROW64(e, 64), ROW64(e, 128), ROW64(e, 192)

static const uint32_t TABLE[8][256] = { { ROW(E0) }, { ROW(E1) }, { ROW(E2) },
                                        { ROW(E3) }, { ROW(E4) }, { ROW(E5) },
                                        { ROW(E6) }, { ROW(E7) } };

uint32_t
lens_crc32(uint32_t before, const void *data, size_t size)
{
    const unsigned char *at = data;
    uint32_t crc = ~before;

    for (; size >= 8; at += 8, size -= 8) {
        uint32_t low, high;

        memcpy(&low, at, sizeof low);
        memcpy(&high, at + 4, sizeof high);
        low = le32toh(low) ^ crc;
        high = le32toh(high);
        crc = TABLE[7][low & 0xff] ^ TABLE[6][low >> 8 & 0xff] ^
              TABLE[5][low >> 16 & 0xff] ^ TABLE[4][low >> 24] ^ TABLE[3][high & 0xff] ^
              TABLE[2][high >> 8 & 0xff] ^ TABLE[1][high >> 16 & 0xff] ^
              TABLE[0][high >> 24];
    }
    for (; size > 0; at++, size--)
        crc = crc >> 8 ^ TABLE[0][(crc ^ *at) & 0xff];
    return ~crc;
}
