// What Linux has and the Glibc module leaves out, and the processor's own CRC-32C.
#pragma once

#include <stdint.h>
#include <stdbool.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/random.h>
#include <sys/sendfile.h>
#include <sys/socket.h>

// Declared by the C library only for GNU sources.
int accept4(int socket, struct sockaddr *address, socklen_t *length, int flags);

#if defined(__x86_64__)
static inline bool clinux_has_crc32c(void) { return __builtin_cpu_supports("sse4.2"); }

// Continues the raw (inverted) checksum over count bytes.
__attribute__((target("sse4.2")))
static inline uint32_t clinux_crc32c(uint32_t raw, const unsigned char *bytes, long count) {
    uint64_t crc = raw;
    for (; count >= 8; count -= 8, bytes += 8) {
        uint64_t word;
        memcpy(&word, bytes, 8);
        crc = __builtin_ia32_crc32di(crc, word);
    }
    uint32_t rest = (uint32_t)crc;
    for (; count > 0; count--, bytes++) rest = __builtin_ia32_crc32qi(rest, *bytes);
    return rest;
}
#else
static inline bool clinux_has_crc32c(void) { return false; }
static inline uint32_t clinux_crc32c(uint32_t raw, const unsigned char *bytes, long count) { return raw; }
#endif
