#include "CMicroHTTP.h"

struct MHD_Daemon *cmicrohttp_start(int listening_socket, unsigned int connections_max, size_t connection_bytes_max,
                                    unsigned int idle_seconds_max, MHD_AccessHandlerCallback handler, void *context) {
    return MHD_start_daemon(MHD_USE_AUTO_INTERNAL_THREAD, 0, NULL, NULL, handler, context,
                            MHD_OPTION_LISTEN_SOCKET, (MHD_socket)listening_socket,
                            MHD_OPTION_CONNECTION_LIMIT, connections_max,
                            MHD_OPTION_CONNECTION_MEMORY_LIMIT, connection_bytes_max,
                            MHD_OPTION_CONNECTION_TIMEOUT, idle_seconds_max,
                            MHD_OPTION_END);
}
