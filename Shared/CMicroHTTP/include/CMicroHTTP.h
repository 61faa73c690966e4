// libmicrohttpd for Swift: its functions as they are, and a start that is not variadic.
#pragma once

#include <microhttpd.h>

/// Serves a socket that listens already, on one thread of its own.
///
/// Returns NULL if the thread cannot be started; the socket belongs to the daemon otherwise.
struct MHD_Daemon *cmicrohttp_start(int listening_socket, unsigned int connections_max, size_t connection_bytes_max,
                                    unsigned int idle_seconds_max, MHD_AccessHandlerCallback handler, void *context);
