/* Where the credentials for AWS come from, by the variables that each SDK of AWS reads, in their
 * order: the environment, the shared credentials file, the container, the instance. Of those that
 * SDKs have beside these, a web identity is refused where the container or the instance would be
 * asked: their credentials are those of somebody else.
 * https://docs.aws.amazon.com/sdkref/latest/guide/standardized-credentials.html
 *
 * Any thread that nobody changes the environment beside. */
#ifndef RATINGS_CORE_AWS_SOURCE_H
#define RATINGS_CORE_AWS_SOURCE_H

#include "aws_credentials.h"

#define RATINGS_AWS_TEXT_MAX 4096 /* bytes, not counting the terminator */

/* The values of the variables named; NULL or "": not set. */
typedef struct {
    const char *key_id;             /* AWS_ACCESS_KEY_ID */
    const char *secret;             /* AWS_SECRET_ACCESS_KEY */
    const char *token;              /* AWS_SESSION_TOKEN */
    const char *file;               /* AWS_SHARED_CREDENTIALS_FILE */
    const char *profile;            /* AWS_PROFILE */
    const char *home;               /* HOME: its .aws/credentials is the file by default */
    const char *web_identity;       /* AWS_WEB_IDENTITY_TOKEN_FILE */
    const char *container_path;     /* AWS_CONTAINER_CREDENTIALS_RELATIVE_URI */
    const char *container_url;      /* AWS_CONTAINER_CREDENTIALS_FULL_URI */
    const char *authorization;      /* AWS_CONTAINER_AUTHORIZATION_TOKEN */
    const char *authorization_file; /* AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE */
    const char *instance_url;       /* AWS_EC2_METADATA_SERVICE_ENDPOINT */
    const char *instance_disabled;  /* AWS_EC2_METADATA_DISABLED: "true" */
} ratings_aws_environment_t;

typedef enum {
    RATINGS_AWS_STATIC,    /* the credentials are here, for ever */
    RATINGS_AWS_CONTAINER, /* GET url answers them */
    RATINGS_AWS_INSTANCE   /* url is the instance's metadata service (IMDSv2) */
} ratings_aws_source_e;

typedef struct {
    ratings_aws_source_e kind;
    ratings_aws_credentials_t credentials;
    char url[RATINGS_AWS_TEXT_MAX + 1]; /* without a user; of an instance no slash at its end */
    char authorization[RATINGS_AWS_TEXT_MAX + 1]; /* of a container; "": none, or of the file */
    char authorization_file[RATINGS_AWS_TEXT_MAX + 1]; /* read at each call, since it changes */
} ratings_aws_source_t;

/* What this process has in its environment. It points into that. */
void ratings_aws_environment_read(ratings_aws_environment_t *environment);

/* Fills `*source`. Reads the shared credentials file, if the environment holds no credentials: a
 * file or a profile that a variable names has to be there, of the default ones each may be missing.
 * False: `why` says what is wrong, without a secret. */
bool ratings_aws_source_find(const ratings_aws_environment_t *environment,
                             ratings_aws_source_t *source, char *why, size_t size);

/* Reads the region of a function URL, https://ID.lambda-url.REGION.on.aws/, into `region`. False:
 * it has another form. */
#define RATINGS_AWS_REGION_MAX 32 /* bytes, not counting the terminator */
bool ratings_aws_function_region(const char *url, char region[RATINGS_AWS_REGION_MAX + 1]);

/* Whether the text may be the name of a region: lower-case letters, digits and dashes. */
bool ratings_aws_is_region(const char *text);

#endif
