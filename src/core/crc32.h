/* CRC-32/ISO-HDLC, as in zlib and RFC 1952. Pure, any thread. Private to core. */
#ifndef RATINGS_CORE_CRC32_H
#define RATINGS_CORE_CRC32_H

#include <stddef.h>
#include <stdint.h>

/* The checksum of what `crc` is the checksum of (0: nothing yet), followed by `len` bytes. */
uint32_t ratings_crc32(uint32_t crc, const void *bytes, size_t len);

#endif
