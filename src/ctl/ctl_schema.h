/* conf/schema.sql, as build/ctl.mk puts it into the program. */
#ifndef RATINGS_CTL_SCHEMA_H
#define RATINGS_CTL_SCHEMA_H

extern const char ctl_schema_sql[];

#endif
