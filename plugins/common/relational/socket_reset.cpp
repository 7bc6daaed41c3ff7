#include "plugins/common/relational/socket_reset.h"

#include <sys/socket.h>

namespace sluice::relational {

void reset_when_closed(int socket, bool reset) {
  const linger how = {reset ? 1 : 0, 0};
  (void)::setsockopt(socket, SOL_SOCKET, SO_LINGER, &how, sizeof how);
}

}  // namespace sluice::relational
