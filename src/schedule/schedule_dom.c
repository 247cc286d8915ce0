#include "schedule_dom.h"

#include <libxml/parser.h>
#include <string.h>

/* Faults are ours to report; lines beyond 65535 have their numbers. */
#define PARSE_OPTIONS                                                                              \
    (XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING | XML_PARSE_NOCDATA |               \
     XML_PARSE_BIG_LINES)

/* A document type could name files and define entities: no schedule has one. */
static void refuse_document_type(void *context, const xmlChar *name, const xmlChar *external,
                                 const xmlChar *system)
{
    xmlParserCtxt *parser = context;
    (void)name, (void)external, (void)system;
    *(int *)parser->_private = parser->input->line;
    xmlStopParser(parser);
}

static bool fail_parse(schedule_reader_t *reader, const xmlParserCtxt *parser, int type_line)
{
    const xmlError *error = &parser->lastError;
    int line = error->line > 0 ? error->line : 1;
    if (type_line)
        return schedule_fail(reader->fault, type_line, NULL,
                             "has a document type, which is not read");
    return schedule_fail(reader->fault, line, NULL, "is no XML: %.*s",
                         error->message ? (int)strcspn(error->message, "\n") : 0,
                         error->message ? error->message : "");
}

xmlDoc *schedule_dom_read(schedule_reader_t *reader)
{
    int type_line = 0; /* 0: there is none */
    xmlParserCtxt *parser = xmlNewParserCtxt();
    if (!parser) {
        (void)schedule_no_memory(reader->fault);
        return NULL;
    }
    parser->_private = &type_line;
    parser->sax->internalSubset = refuse_document_type;
    xmlDoc *document =
        xmlCtxtReadMemory(parser, reader->text, (int)reader->len, NULL, NULL, PARSE_OPTIONS);
    if (type_line || !document) {
        (void)fail_parse(reader, parser, type_line);
        xmlFreeDoc(document);
        document = NULL;
    }
    xmlFreeParserCtxt(parser);
    return document;
}

bool schedule_dom_is(const xmlNode *node, const char *name)
{
    return node->type == XML_ELEMENT_NODE && strcmp((const char *)node->name, name) == 0;
}

xmlNode *schedule_dom_find(xmlNode *node, const char *name)
{
    while (node && !schedule_dom_is(node, name))
        node = node->next;
    return node;
}

int schedule_dom_line(const xmlNode *node)
{
    return (int)xmlGetLineNo(node);
}

static const char *only_text(const xmlNode *child)
{
    return child ? (const char *)child->content : NULL;
}

const char *schedule_dom_attribute(const xmlNode *node, const char *name)
{
    const xmlAttr *attribute = xmlHasProp(node, (const xmlChar *)name);
    return attribute ? only_text(attribute->children) : NULL;
}

bool schedule_dom_text(schedule_reader_t *reader, const xmlNode *node, const char **text)
{
    const xmlNode *child = node->children;
    *text = NULL;
    if (child && (child->type != XML_TEXT_NODE || child->next))
        return schedule_fail(reader->fault, schedule_dom_line(node), (const char *)node->name,
                             "has more in it than text");
    *text = only_text(child);
    return true;
}

bool schedule_dom_member(schedule_reader_t *reader, xmlNode *parent, const char *name,
                         const char **text, int *line)
{
    const xmlNode *node = schedule_dom_find(parent->children, name);
    if (line)
        *line = schedule_dom_line(node ? node : parent);
    *text = NULL;
    return !node || schedule_dom_text(reader, node, text);
}

bool schedule_dom_texts(schedule_reader_t *reader, xmlNode *parent,
                        const schedule_dom_member_t *members, size_t count, schedule_draft_t *draft)
{
    for (size_t i = 0; i < count; i++)
        if (!schedule_dom_member(reader, parent, members[i].name, &draft->text[members[i].text],
                                 NULL))
            return false;
    return true;
}
