#include "certificate_error.h"

#include <openssl/x509_vfy.h>

#include <stddef.h>

const char *ratings_certificate_error(int error)
{
    return error == X509_V_OK ? NULL : X509_verify_cert_error_string(error);
}
