/* The address of a talk's page, and a talk's id as a part of addresses and names of files. Pure
 * functions; texts are malloc()ed and owned by the caller, NULL when memory ran out. */
#ifndef RATINGS_CTL_PAGE_H
#define RATINGS_CTL_PAGE_H

/* Percent-encoded as JavaScript's encodeURIComponent does it, so that a page finds a file by it. */
char *ctl_page_escape(const char *id);

/* `page` with the id wherever it has {id}, percent-encoded. */
char *ctl_page_of(const char *page, const char *id);

#endif
