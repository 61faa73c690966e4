#pragma once

#include <librdkafka/rdkafka.h>

// Asks for bytes that will be read soon; null is nothing.
static inline void crdkafka_prefetch(const void *bytes, size_t count) {
    if (!bytes) return;
    for (size_t at = 0; at < count; at += 64) __builtin_prefetch((const char *)bytes + at);
}
