#pragma once
#include <stdint.h>

/// Allocations of this process so far: each call of malloc, calloc, realloc, aligned_alloc and posix_memalign.
uint64_t allocation_count(void);
