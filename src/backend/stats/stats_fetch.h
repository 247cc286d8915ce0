/* Private to stats: AWS's metadata services, which hand out credentials to what runs in a container
 * or on an instance. Any thread.
 * https://docs.aws.amazon.com/sdkref/latest/guide/feature-container-credentials.html
 * https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/configuring-instance-metadata-service.html */
#ifndef RATINGS_STATS_FETCH_H
#define RATINGS_STATS_FETCH_H

#include "../../core/aws_source.h"
#include "../common/deadline.h"

/* Asks the metadata service of a source that is no RATINGS_AWS_STATIC, on a connection that is
 * closed after it. A failure as result.h has it: whoever refuses or answers what is no credentials
 * is APR_EINVAL. The reason names scheme, host and port alone: the path and the query of a
 * container's URL may be by what it knows who asks. */
apr_status_t stats_fetch_credentials(const ratings_aws_source_t *source,
                                     const ratings_deadline_t *deadline,
                                     ratings_aws_credentials_t *out, ratings_result_t *why);

#endif
