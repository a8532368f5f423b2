#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include "auth.h"

/* A key with a pass phrase is not asked for: nobody may sit there. */
static int
no_phrase(char *out, int size, int writing, void *user)
{
    (void)out;
    (void)size;
    (void)writing;
    (void)user;
    return -1;
}

static EVP_PKEY *
read_key(struct lens_bytes pem)
{
    BIO *bio = BIO_new_mem_buf(pem.data, (int)pem.size);
    EVP_PKEY *key =
        bio == NULL ? NULL : PEM_read_bio_PrivateKey(bio, NULL, no_phrase, NULL);

    BIO_free(bio);
    if (key != NULL && EVP_PKEY_get_base_id(key) == EVP_PKEY_RSA)
        return key;
    EVP_PKEY_free(key);
    return NULL;
}

/* RSASSA-PKCS1-v1_5 with SHA-256. */
static lens_status
add_signature(EVP_PKEY *key, struct lens_text *text)
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    unsigned char signature[2048]; /* RSA up to 16384 bits */
    size_t size = sizeof signature;
    int fine = context != NULL &&
               EVP_DigestSignInit(context, NULL, EVP_sha256(), NULL, key) == 1 &&
               EVP_DigestSign(context, signature, &size,
                              (const unsigned char *)text->data, text->size) == 1;

    EVP_MD_CTX_free(context);
    if (!fine)
        return LENS_E_FAILED;
    lens_text_add(text, ".");
    lens_text_add_base64url(text, signature, size);
    return text->failed ? LENS_E_NOMEM : LENS_OK;
}

lens_status
lens_auth_jwt_rs256(struct lens_bytes header, struct lens_bytes claims,
                    struct lens_bytes pem, struct lens_text *ret)
{
    EVP_PKEY *key = pem.size > 1024 * 1024 ? NULL : read_key(pem);
    struct lens_text text = { 0 };
    lens_status status = LENS_E_CONFIG;

    if (key != NULL) {
        lens_text_add_base64url(&text, header.data, header.size);
        lens_text_add(&text, ".");
        lens_text_add_base64url(&text, claims.data, claims.size);
        status = text.failed ? LENS_E_NOMEM : add_signature(key, &text);
    }
    if (status == LENS_OK)
        lens_text_add_bytes(ret, text.data, text.size);
    lens_text_clear(&text);
    EVP_PKEY_free(key);
    ERR_clear_error();
    return status == LENS_OK && ret->failed ? LENS_E_NOMEM : status;
}
