/* Cores: what the kernel writes of a process that crashes holds its memory, and so every connection
 * string and key that the service uses, with the copies that client libraries make. */
#ifndef RATINGS_SERVICE_CORE_DUMP_H
#define RATINGS_SERVICE_CORE_DUMP_H

/* Settles that this process leaves a core if the administrator has asked for cores, by
 * CoreDumpDirectory, and else none, whatever the kernel is set to (fs.suid_dumpable,
 * kernel.core_pattern). Without, nobody but root sees its memory and environment in /proc either,
 * also where its user is the same as another process's. By the parent, and by each child once it
 * has changed its user, which the kernel takes for a reason to decide anew. */
void ratings_core_dump_settle(void);

#endif
