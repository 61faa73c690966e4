#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/// A compiled regular expression in RE2's syntax; immutable, and searched by any number of threads at once.
typedef struct re2_pattern re2_pattern;

/// Compiles the UTF-8 `text`. On failure the answer is NULL and `error` holds a message, cut to `error_capacity` with its zero.
re2_pattern *_Nullable re2_pattern_create(const char *_Nonnull text, size_t length, int64_t maximum_bytes,
                                          char *_Nonnull error, size_t error_capacity);

void re2_pattern_destroy(re2_pattern *_Nonnull pattern);

/// Whether the pattern matches anywhere in `text`.
bool re2_pattern_search(const re2_pattern *_Nonnull pattern, const char *_Nullable text, size_t length);

#ifdef __cplusplus
}
#endif
