#include "mock-private.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>

#include "error.h"

#define DAY_S (24 * 60 * 60L)

static bool
add_extension(X509 *cert, int kind, const char *value)
{
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, kind, value);
    const bool added = extension != NULL && X509_add_ext(cert, extension, -1) == 1;

    X509_EXTENSION_free(extension);
    return added;
}

/* Signed by itself and its own authority, so that a client can be told to trust it. */
static X509 *
certificate_new(EVP_PKEY *key)
{
    X509 *cert = X509_new();
    X509_NAME *name;

    if (cert == NULL)
        return NULL;
    name = X509_get_subject_name(cert);
    if (X509_set_version(cert, 2) == 1 &&
        ASN1_INTEGER_set(X509_get_serialNumber(cert), 1) == 1 &&
        X509_gmtime_adj(X509_getm_notBefore(cert), -DAY_S) != NULL &&
        X509_gmtime_adj(X509_getm_notAfter(cert), 30 * DAY_S) != NULL &&
        X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
                                   (const unsigned char *)"lens mock", -1, -1, 0) == 1 &&
        X509_set_issuer_name(cert, name) == 1 && X509_set_pubkey(cert, key) == 1 &&
        add_extension(cert, NID_basic_constraints, "critical,CA:TRUE") &&
        add_extension(cert, NID_subject_alt_name, "IP:127.0.0.1,IP:::1,DNS:localhost") &&
        X509_sign(cert, key, EVP_sha256()) > 0)
        return cert;
    X509_free(cert);
    return NULL;
}

static bool
write_pem(X509 *cert, const char *path, GError **error)
{
    FILE *file = fopen(path, "we");
    bool written = file != NULL && PEM_write_X509(file, cert) == 1;

    if (file != NULL && fclose(file) != 0)
        written = false;
    if (!written)
        g_set_error(error, LENS_ERROR, LENS_ERROR_FILE,
                    "%s: cannot write the certificate: %s", path, g_strerror(errno));
    return written;
}

SSL_CTX *
tls_context_new(const char *pem_file, GError **error)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *cert = key != NULL ? certificate_new(key) : NULL;
    SSL_CTX *context = SSL_CTX_new(TLS_server_method());
    bool ready = cert != NULL && context != NULL &&
                 SSL_CTX_use_certificate(context, cert) == 1 &&
                 SSL_CTX_use_PrivateKey(context, key) == 1;

    if (!ready) {
        g_set_error(error, LENS_ERROR, LENS_ERROR_SYSTEM,
                    "cannot make a certificate for --tls: %s",
                    ERR_reason_error_string(ERR_get_error()));
    } else {
        SSL_CTX_set_mode(context,
                         SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
        if (pem_file != NULL)
            ready = write_pem(cert, pem_file, error);
    }
    X509_free(cert);
    EVP_PKEY_free(key);
    if (ready)
        return context;
    SSL_CTX_free(context);
    return NULL;
}
