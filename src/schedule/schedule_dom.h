/* XML by libxml2, with what a schedule needs of it: no network, no document type, so that there are
 * no entities of its own. Texts belong to the document. One thread. */
#ifndef RATINGS_SCHEDULE_DOM_H
#define RATINGS_SCHEDULE_DOM_H

#include "schedule_builder.h"

#include <libxml/tree.h>

/* The caller frees it by xmlFreeDoc. NULL, and the fault. */
xmlDoc *schedule_dom_read(schedule_reader_t *reader);

bool schedule_dom_is(const xmlNode *node, const char *name);

/* The first element of that name, whatever its namespace, from `node` on among its siblings; NULL:
 * there is none. */
xmlNode *schedule_dom_find(xmlNode *node, const char *name);

#define SCHEDULE_DOM_EACH(child, parent, name)                                                     \
    for (xmlNode * (child) = schedule_dom_find((parent)->children, name); (child);                 \
         (child) = schedule_dom_find((child)->next, name))

int schedule_dom_line(const xmlNode *node);

/* The text of an attribute; NULL: there is none. */
const char *schedule_dom_attribute(const xmlNode *node, const char *name);

/* The text of an element without any in it: NULL as `*text` if it is empty. False, and the fault:
 * it has more in it than text. */
bool schedule_dom_text(schedule_reader_t *reader, const xmlNode *node, const char **text);

/* Sets the draft's texts from the elements in `parent`: each row of `members` names one, whose text
 * is that `text` of the draft. False, and the fault. */
typedef struct {
    const char *name;
    int text; /* SCHEDULE_TITLE, ... */
} schedule_dom_member_t;

bool schedule_dom_texts(schedule_reader_t *reader, xmlNode *parent,
                        const schedule_dom_member_t *members, size_t count,
                        schedule_draft_t *draft);

/* The text of the element of that name in `parent`; NULL as `*text`: there is none, or it is empty.
 * `*line`, unless it is NULL, is its line, else the parent's. */
bool schedule_dom_member(schedule_reader_t *reader, xmlNode *parent, const char *name,
                         const char **text, int *line);

#endif
