#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>

#include "auth.h"

void
lens_auth_sha256_hex(const void *data, size_t size, char ret[65])
{
    static const char digits[] = "0123456789abcdef";
    unsigned char hash[EVP_MAX_MD_SIZE] = { 0 };

    EVP_Digest(data, size, hash, NULL, EVP_sha256(), NULL);
    for (int i = 0; i < 32; i++) {
        ret[2 * i] = digits[hash[i] >> 4];
        ret[2 * i + 1] = digits[hash[i] & 15];
    }
    ret[64] = '\0';
}

void
lens_auth_hmac_sha256(const void *key, size_t key_size, const void *data, size_t size,
                      unsigned char ret[32])
{
    HMAC(EVP_sha256(), key, (int)key_size, data, size, ret, NULL);
}
