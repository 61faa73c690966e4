#include "CRE2.h"

#include <re2/re2.h>

#include <algorithm>
#include <cstring>
#include <new>

struct re2_pattern {
    re2::RE2 expression;
    re2_pattern(const re2::StringPiece &text, const re2::RE2::Options &options) : expression(text, options) {}
};

extern "C" re2_pattern *re2_pattern_create(const char *text, size_t length, int64_t maximum_bytes, char *error,
                                           size_t error_capacity) {
    re2::RE2::Options options;
    options.set_log_errors(false);
    options.set_never_capture(true);
    options.set_max_mem(maximum_bytes);
    auto *pattern = new (std::nothrow) re2_pattern(re2::StringPiece(text, length), options);
    if (pattern && pattern->expression.ok()) return pattern;
    if (error_capacity > 0) {
        const char *message = pattern ? pattern->expression.error().c_str() : "out of memory";
        size_t size = std::min(std::strlen(message), error_capacity - 1);
        std::memcpy(error, message, size);
        error[size] = 0;
    }
    delete pattern;
    return nullptr;
}

extern "C" void re2_pattern_destroy(re2_pattern *pattern) { delete pattern; }

extern "C" bool re2_pattern_search(const re2_pattern *pattern, const char *text, size_t length) {
    return pattern->expression.Match(re2::StringPiece(text, length), 0, length, re2::RE2::UNANCHORED, nullptr, 0);
}
